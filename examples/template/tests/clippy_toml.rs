//! What clippy.toml refuses. Each `expect` is a warning of its own if it does not. Delete this file in a crate of yours.

#[expect(clippy::disallowed_methods, reason = "shows that it is refused")]
#[tokio::test]
async fn tokio_spawn() {
    tokio::spawn(async {}).await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "shows that it is refused")]
#[tokio::test]
async fn tokio_task_spawn_blocking() {
    tokio::task::spawn_blocking(|| ()).await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "shows that it is refused")]
#[tokio::test]
async fn tokio_join_set() {
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async {});
    tasks.join_all().await;
}

#[expect(clippy::disallowed_methods, reason = "shows that it is refused")]
#[test]
fn thread() {
    std::thread::spawn(|| ()).join().unwrap();
}

#[expect(clippy::disallowed_methods, reason = "shows that it is refused")]
#[tokio::test]
async fn tokio_task_spawn() {
    tokio::task::spawn(async {}).await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "shows that it is refused")]
#[tokio::test]
async fn tokio_join_set_on() {
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn_on(async {}, &tokio::runtime::Handle::current());
    tasks.join_all().await;
}

#[expect(clippy::disallowed_methods, reason = "shows that it is refused")]
#[tokio::test]
async fn tokio_join_set_blocking() {
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn_blocking(|| ());
    tasks.join_all().await;
}

/// What is recommended instead is not refused.
#[tokio::test]
async fn the_replacements() {
    use obs_runtime::{ClosureInContext as _, FutureInContext as _};

    obs_runtime::spawn(async {}).await.unwrap();
    obs_runtime::spawn_blocking(|| ()).await.unwrap();
    obs_runtime::spawn_thread(|| ()).join().unwrap();
    let mut tasks = obs_runtime::JoinSet::new();
    tasks.spawn(async {});
    tasks.spawn_blocking(|| ());
    tasks.spawn_on(async {}, &tokio::runtime::Handle::current());
    tasks.join_all().await;
    std::thread::Builder::new().spawn((|| ()).in_current_context()).unwrap().join().unwrap();
    std::thread::scope(|scope| scope.spawn((|| ()).in_current_context()).join().unwrap());
    tokio::runtime::Handle::current().spawn(async {}.in_current_context()).await.unwrap();
}
