//! actix-web, whose handlers and middleware are no services of tower and stay on their threads.

use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::middleware::Logger;
use actix_web::web::{self, Path};
use actix_web::{App, HttpResponse, HttpServer};
use obs_runtime::{LogContext, track_request};
use serde_json::Value;

use crate::order::{Nothing, Order, start};
use crate::work::{handle, metrics};
use crate::{Result, clients};

async fn user(number: Path<u64>) -> HttpResponse {
    match handle(*number).await {
        Ok(()) => HttpResponse::Ok().body("ok"),
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

pub fn run(order: Order) -> Result<Value> {
    let _guard = start(order, Nothing)?;
    actix_web::rt::System::new().block_on(async {
        let app = || {
            App::new()
                .route("/users/{number}", web::get().to(user))
                .wrap(Logger::new("answered %s to %{x-correlation-id}i").log_target("access"))
                .wrap_fn(|request, service| {
                    let header = |name: &str| request.headers().get(name)?.to_str().ok();
                    let mut context = LogContext::of_request(header);
                    if let Some(user) = header("x-user") {
                        context = context.user(user);
                    }
                    let route = request.match_pattern().unwrap_or_default();
                    let operation = format!("{} {route}", request.method());
                    let response = service.call(request);
                    let response = async {
                        let response: ServiceResponse<_> = response.await?;
                        Ok::<_, actix_web::Error>((response.status().as_u16(), response))
                    };
                    let response = track_request(operation, context, response);
                    async { response.await.map(|(_, response)| response) }
                })
        };
        let server = HttpServer::new(app).workers(2).disable_signals().bind("127.0.0.1:0")?;
        let address = server.addrs().first().copied().ok_or("it is not bound")?;
        actix_web::rt::spawn(server.run());
        clients::many(move |number| format!("http://{address}/users/{number}")).await
    })?;
    let user = ("operation", "GET /users/{number}");
    Ok(metrics(&[
        ("operation.success", &[user]),
        ("operation.failure", &[user, ("outcome", "error")]),
        ("operation.error", &[("operation", "handle"), ("error_type", "Rejected")]),
        ("operation.active", &[user]),
        ("handled", &[]),
    ]))
}
