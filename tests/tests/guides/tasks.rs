//! Context in tasks and threads, and the warning where it is lost.

use std::sync::mpsc;

use obs_runtime::testing::capture;
use obs_runtime::{
    JoinSet, LogContext, Observability, correlation_id, spawn_blocking, spawn_in_context, track_performance,
    tracked_command,
};
use obs_tests::{exclusive, logs};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn the_tasks_of_a_set_have_the_context_in_which_they_were_spawned() {
    let runtime = runtime();
    let ids = LogContext::new().correlation_id("run-7").in_future(async {
        let mut tasks = JoinSet::default();
        tasks.spawn(async { correlation_id() });
        tasks.spawn_blocking(correlation_id);
        tasks.spawn_on(async { correlation_id() }, &tokio::runtime::Handle::current());
        assert_eq!((tasks.len(), tasks.is_empty()), (3, false));
        let mut ids =
            vec![tasks.join_next().await.unwrap().unwrap(), tasks.join_next_with_id().await.unwrap().unwrap().1];
        ids.extend(tasks.join_all().await);
        ids.push(spawn_blocking(correlation_id).await.unwrap());
        ids
    });
    assert_eq!(runtime.block_on(ids), vec![Some("run-7".to_owned()); 4]);
}

#[test]
fn tasks_of_a_set_end_with_it() {
    runtime().block_on(async {
        let (sender, mut ended) = tokio::sync::mpsc::channel::<()>(1);
        let mut tasks = JoinSet::new();
        for _ in 0..3 {
            let sender = sender.clone();
            tasks.spawn(async move {
                std::future::pending::<()>().await;
                drop(sender);
            });
        }
        drop(sender);
        tasks.abort_all();
        assert!(tasks.join_next().await.unwrap().unwrap_err().is_cancelled());
        drop(tasks);
        assert_eq!(ended.recv().await, None);
    });
}

#[test]
fn threads_and_pools_run_work_in_the_context() {
    let _guard = LogContext::new().correlation_id("run-7").enter();
    let thread = spawn_in_context(std::thread::spawn, correlation_id);
    assert_eq!(thread.join().unwrap().as_deref(), Some("run-7"));
    let (sender, received) = mpsc::channel();
    spawn_in_context(rayon::spawn, move || sender.send(correlation_id()).unwrap());
    assert_eq!(received.recv().unwrap().as_deref(), Some("run-7"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let (sender, received) = mpsc::channel();
    spawn_in_context(|work| pool.spawn(work), move || sender.send(correlation_id()).unwrap());
    assert_eq!(received.recv().unwrap().as_deref(), Some("run-7"));
}

#[track_performance]
fn lost() {}

#[track_performance]
fn kept() {}

#[track_performance]
fn outside() {}

#[tracked_command]
async fn nightly_tasks() {
    // Twice: each function is warned of once.
    for _ in 0..2 {
        tokio::spawn(async { lost() }).await.unwrap();
    }
    obs_runtime::spawn(async { kept() }).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async { kept() });
    tasks.join_all().await;
    std::thread::spawn(outside).join().unwrap();
}

#[test]
fn a_debug_build_warns_once_of_a_function_that_has_lost_the_context_of_its_command() {
    let _exclusive = exclusive::lock();
    let log = logs::MemoryLog::default();
    let builder = Observability::builder().without_environment().log_output(log.output()).signals(false);
    let guard = builder.prometheus_port(0).init().unwrap();
    let runtime = runtime();
    runtime.block_on(async { tokio::spawn(async { outside() }).await.unwrap() });
    runtime.block_on(nightly_tasks());
    drop(guard);
    let lines = log.take();
    let warnings: Vec<_> = lines.iter().filter(|line| line["help"] == "lost-context").collect();
    assert_eq!(warnings.len(), 1, "{lines:#?}");
    let message = warnings[0]["message"].as_str().unwrap();
    assert!(message.starts_with("`lost` (tests/tests/guides/tasks.rs:"), "{message}");
    assert!(message.contains("spawn the task by obs_runtime::spawn or obs_runtime::JoinSet"), "{message}");
}

#[derive(clap::Parser)]
struct Cli {
    #[arg(long)]
    dry_run: bool,
    #[arg(long, default_value = "info")]
    level: String,
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    Load { tables: Vec<String> },
}

fn count(line: &[&str]) {
    let mut command = <Cli as clap::CommandFactory>::command();
    obs_runtime::cli::count_arguments(&command.clone(), &command.try_get_matches_from_mut(line).unwrap());
}

#[tracked_command]
fn import(line: &[&str]) {
    if !line.is_empty() {
        count(line);
    }
}

#[test]
fn the_arguments_of_a_command_line_are_counted_by_their_names() {
    let line = ["job", "--dry-run", "load", "secret-table", "other"];
    // Within the command, and before it begins; not for the next one.
    let before = || {
        count(&line);
        import(&[]);
        import(&[]);
    };
    for captured in [capture(|| import(&line)), capture(before)] {
        let arguments =
            |name: &str| captured.counter("cli.command.argument").with("command", "import").with("argument", name);
        arguments("dry_run").is(1);
        arguments("tables").is(1);
        captured.counter("cli.command.argument").is(2);
        assert!(!captured.stable_text().contains("secret-table"), "{}", captured.stable_text());
    }
}
