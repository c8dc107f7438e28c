//! tonic: a service that is generated from a protocol buffer, and its client.

use axum::http::request::Parts;
use obs_runtime::ContextLayer;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::logs::v1::ResourceLogs;
use serde_json::Value;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Response, Status};
use tower_http::trace::{DefaultMakeSpan, TraceLayer};
use tracing::Level;

use crate::Result;
use crate::order::{Nothing, Order, start};
use crate::work::{AT_A_TIME, REQUESTS, handle, metrics};

struct Logs;

/// The number of a request.
fn number(request: &ExportLogsServiceRequest) -> Option<u64> {
    request.resource_logs.first()?.schema_url.parse().ok()
}

#[tonic::async_trait]
impl LogsService for Logs {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> std::result::Result<Response<ExportLogsServiceResponse>, Status> {
        let number = number(request.get_ref()).ok_or_else(|| Status::invalid_argument("no number"))?;
        // The client's mistake is no failure of the server.
        if number % 10 == 1 {
            let _ = handle(number).await;
            return Err(Status::not_found("no such number"));
        }
        handle(number).await.map_err(|error| Status::internal(error.to_string()))?;
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

fn context() -> ContextLayer {
    ContextLayer::new()
        .route(|request: &Parts| Some(request.uri.path().to_owned()))
        .user(|request| Some(request.headers.get("x-user")?.to_str().ok()?.into()))
}

async fn call(mut client: LogsServiceClient<Channel>, number: u64) -> Result<()> {
    let logs = ResourceLogs { schema_url: number.to_string(), ..ResourceLogs::default() };
    let mut request = Request::new(ExportLogsServiceRequest { resource_logs: vec![logs] });
    request.metadata_mut().insert("x-correlation-id", format!("id-{number}").parse()?);
    request.metadata_mut().insert("x-user", format!("user-{number}").parse()?);
    let code = client.export(request).await.map_or_else(|status| status.code(), |_| Code::Ok);
    let expected = match number % 10 {
        0 => Code::Internal,
        1 => Code::NotFound,
        _ => Code::Ok,
    };
    if code == expected { Ok(()) } else { Err(format!("call {number} got {code}").into()) }
}

/// The context is outside of `TraceLayer` if obs is first, and inside if it is last.
pub fn run(order: Order) -> Result<Value> {
    let _guard = start(order, Nothing)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse()?)?;
        let url = format!("http://{}", incoming.local_addr()?);
        let logs = LogsServiceServer::new(Logs);
        let trace = TraceLayer::new_for_grpc().make_span_with(DefaultMakeSpan::new().level(Level::INFO));
        match order {
            Order::Last => {
                let server = Server::builder().layer(trace).layer(context()).add_service(logs);
                tokio::spawn(server.serve_with_incoming(incoming));
            }
            Order::First | Order::Builder => {
                let server = Server::builder().layer(context()).layer(trace).add_service(logs);
                tokio::spawn(server.serve_with_incoming(incoming));
            }
        }
        let client = LogsServiceClient::connect(url).await?;
        let clients: Vec<_> = (0..AT_A_TIME)
            .map(|first| {
                let client = client.clone();
                tokio::spawn(async move {
                    for number in (first..REQUESTS).step_by(AT_A_TIME as usize) {
                        call(client.clone(), number).await?;
                    }
                    Ok(())
                })
            })
            .collect();
        for client in clients {
            let ended: Result<()> = client.await?;
            ended?;
        }
        Result::Ok(())
    })?;
    let export = ("operation", "POST /opentelemetry.proto.collector.logs.v1.LogsService/Export");
    Ok(metrics(&[
        ("operation.success", &[export]),
        ("operation.failure", &[export, ("outcome", "error")]),
        ("operation.error", &[("operation", "handle"), ("error_type", "Rejected")]),
        ("operation.active", &[export]),
        ("handled", &[]),
    ]))
}
