//! axum with tower-http's `TraceLayer`, whose handler asks another server by reqwest.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{MatchedPath, Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use obs_runtime::ContextLayer;
use serde_json::Value;
use tower_http::trace::{DefaultMakeSpan, TraceLayer};
use tracing::Level;

use crate::order::{Nothing, Order, start};
use crate::work::{handle, metrics};
use crate::{Result, clients};

#[derive(Clone)]
struct App {
    client: reqwest::Client,
    rates: SocketAddr,
}

async fn user(State(app): State<App>, Path(number): Path<u64>) -> std::result::Result<String, StatusCode> {
    if number.is_multiple_of(5) {
        let url = format!("http://{}/rates/{number}", app.rates);
        let rate = clients::get(&app.client, &url, obs_runtime::context_headers()).await;
        rate.map_err(|_| StatusCode::BAD_GATEWAY)?;
    }
    handle(number).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok("ok".to_owned())
}

async fn rate(Path(number): Path<u64>) -> String {
    tracing::info!(number, "rate");
    "1.1".to_owned()
}

fn context() -> ContextLayer {
    ContextLayer::new()
        .route(|request| Some(request.extensions.get::<MatchedPath>()?.as_str().to_owned()))
        .user(|request| Some(request.headers.get("x-user")?.to_str().ok()?.into()))
}

async fn serve(app: Router) -> Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

/// The context is outside of `TraceLayer` if obs is first, and inside if it is last.
pub fn run(order: Order) -> Result<Value> {
    let _guard = start(order, Nothing)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let rates = serve(Router::new().route("/rates/{number}", get(rate)).layer(context())).await?;
        let app = App { client: reqwest::Client::new(), rates };
        let users = Router::new().route("/users/{number}", get(user)).with_state(app);
        let trace = TraceLayer::new_for_http().make_span_with(DefaultMakeSpan::new().level(Level::INFO));
        let users = match order {
            Order::Last => users.layer(context()).layer(trace),
            Order::First | Order::Builder => users.layer(trace).layer(context()),
        };
        let users = serve(users).await?;
        clients::many(move |number| format!("http://{users}/users/{number}")).await
    })?;
    let user = ("operation", "GET /users/{number}");
    Ok(metrics(&[
        ("operation.success", &[user]),
        ("operation.failure", &[user, ("outcome", "error")]),
        ("operation.success", &[("operation", "GET /rates/{number}")]),
        ("operation.error", &[("operation", "handle"), ("error_type", "Rejected")]),
        ("operation.active", &[user]),
        ("handled", &[]),
    ]))
}
