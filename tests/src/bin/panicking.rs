//! A program that panics where its first argument says: `main`, `command`, `thread`, `task` of tokio, `spawned` by obs, `twice`
//! (while it panics), or `many` times on one thread. Its second argument is a panic hook of its own, which prints a line to
//! standard output: one set `before` obs is initialised, one set `after` that calls the previous one (`chained`) or does not
//! (`instead`).

use std::panic::{self, PanicHookInfo};
use std::thread;

use obs_runtime::tracked_command;

type Boxed = Box<dyn std::error::Error + Send + Sync>;

fn fail(place: &str) -> ! {
    panic!("asked to panic in {place} for ada@example.com")
}

#[tracked_command(user = "grace")]
fn in_command() {
    fail("command")
}

struct PanicsToo;

impl Drop for PanicsToo {
    fn drop(&mut self) {
        fail("drop")
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Boxed> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("worker").build()?)
}

fn run(place: &str) -> Result<(), Boxed> {
    match place {
        "main" => fail("main"),
        "command" => in_command(),
        "thread" => {
            let thread = thread::Builder::new().name("loader".to_owned()).spawn(|| fail("thread"))?;
            println!("failed: {}", thread.join().is_err());
        }
        "task" => {
            println!("failed: {}", runtime()?.block_on(async { tokio::spawn(async { fail("task") }).await }).is_err());
        }
        "spawned" => {
            println!(
                "failed: {}",
                runtime()?.block_on(async { obs_runtime::spawn(async { fail("spawned") }).await }).is_err()
            );
        }
        "twice" => {
            let _panics_too = PanicsToo;
            fail("twice")
        }
        "many" => {
            for _ in 0..2_000 {
                let _ = panic::catch_unwind(|| fail("many"));
            }
            println!("done");
        }
        other => return Err(format!("unknown argument: {other}").into()),
    }
    Ok(())
}

fn own_hook(_: &PanicHookInfo<'_>) {
    println!("own hook");
}

fn main() -> Result<(), Boxed> {
    let mut arguments = std::env::args().skip(1);
    let (place, hook) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    if hook == "before" {
        panic::set_hook(Box::new(own_hook));
    }
    let _guard = obs_runtime::init_observability()?;
    match &*hook {
        "chained" => {
            let previous = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                own_hook(info);
                previous(info);
            }));
        }
        "instead" => panic::set_hook(Box::new(own_hook)),
        _ => {}
    }
    run(&place)
}
