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
