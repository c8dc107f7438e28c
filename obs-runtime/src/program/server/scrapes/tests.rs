use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::runtime::Builder;
use tokio::task::{JoinHandle, yield_now};

use super::*;

const TEXT: Wanted = Wanted { format: Format::Text, gzip: false };

/// Scrapes whose rendering waits.
struct Held {
    scrapes: Arc<Scrapes>,
    /// Gets a message when a rendering begins.
    begun: Receiver<()>,
    /// Each message ends a rendering.
    release: Sender<()>,
}

impl Held {
    fn new() -> Self {
        let (entered, begun) = channel();
        let (release, held) = channel();
        let held = Mutex::new(held);
        let count = AtomicUsize::new(0);
        let scrapes = Scrapes::new(move |_| {
            let _ = entered.send(());
            let _ = held.lock().unwrap().recv();
            format!("rendering {}\n", count.fetch_add(1, Ordering::Relaxed) + 1)
        });
        Self { scrapes, begun, release }
    }

    async fn submit(&self, count: usize) -> Vec<JoinHandle<Response>> {
        let submitted: Vec<_> = (0..count).map(|_| tokio::spawn(Arc::clone(&self.scrapes).answer(TEXT))).collect();
        // The tasks run on this thread, up to where they wait.
        yield_now().await;
        submitted
    }
}

fn run(test: impl Future<Output = ()>) {
    Builder::new_current_thread().build().unwrap().block_on(test);
}

async fn all(submitted: Vec<JoinHandle<Response>>) -> Vec<(u16, String)> {
    let mut answers = Vec::new();
    for answer in submitted {
        let http = answer.await.unwrap().into_http();
        assert_eq!(http.headers().contains_key("retry-after"), http.status() == 503);
        answers.push((http.status().as_u16(), String::from_utf8(http.into_body().to_vec()).unwrap()));
    }
    answers
}

#[test]
fn scrapes_that_wait_share_one_text_that_is_newer_than_they_are() {
    run(async {
        let held = Held::new();
        let first = held.submit(1).await;
        held.begun.recv().unwrap();
        let later = held.submit(50).await;
        drop(held.release);
        assert_eq!(all(first).await, [(200, "rendering 1\n".to_owned())]);
        assert_eq!(all(later).await, vec![(200, "rendering 2\n".to_owned()); 50]);
    });
}

#[test]
fn scrapes_beyond_the_limit_are_refused_until_others_are_written() {
    run(async {
        let held = Held::new();
        let mut waiting = held.submit(MAX_SCRAPES).await;
        let refused = all(held.submit(1).await).await;
        assert_eq!(refused[0].0, 503);
        drop(held.release);
        drop(waiting.pop().unwrap().await.unwrap());
        assert_eq!(all(vec![tokio::spawn(Arc::clone(&held.scrapes).answer(TEXT))]).await[0].0, 200);
        assert!(all(waiting).await.iter().all(|(status, _)| *status == 200));
    });
}

#[test]
fn texts_that_nobody_reads_leave_no_room_for_more() {
    run(async {
        let scrapes = Scrapes::new(|_| "x".repeat(MAX_KEPT));
        let unread = Arc::clone(&scrapes).answer(TEXT).await.into_http();
        assert_eq!(unread.status(), 200);
        let next = || Arc::clone(&scrapes).answer(TEXT);
        assert_eq!(next().await.into_http().status(), 503);
        drop(unread);
        assert_eq!(next().await.into_http().status(), 200);
    });
}
