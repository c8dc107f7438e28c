//! obs in a real program with something else: `obs-beside SCENE ORDER`. Log lines go to standard error, and one JSON object with what the
//! scene has measured goes to standard output.

mod actix_server;
mod axum_server;
mod clients;
mod executors;
mod layers;
mod order;
mod queries;
mod tonic_server;
mod tracers;
mod work;

use order::Order;
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn run(scene: &str, order: Order) -> Result<Value> {
    match scene {
        "axum" => axum_server::run(order),
        "tonic" => tonic_server::run(order),
        "actix" => actix_server::run(order),
        "sqlx" => queries::run(order),
        "rayon" => executors::rayon(order),
        "smol" => executors::smol(order),
        "tracing-error" => layers::tracing_error(order),
        "tracing-appender" => layers::tracing_appender(order),
        "console" => layers::console(order),
        "tracing-opentelemetry" => tracers::run(order),
        other => Err(format!("{other} is no scene").into()),
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (scene, order) = (arguments.next().unwrap_or_default(), arguments.next().unwrap_or_default());
    println!("{}", run(&scene, order.parse()?)?);
    Ok(())
}
