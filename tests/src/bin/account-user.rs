//! Runs queries with Application Default Credentials in a network namespace in which the host names of Google's accounts
//! resolve to this process. Its arguments are a certificate and its key, for tokens over TLS.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use obs_runtime::bigquery::{Client, Retry};
use obs_tests::servers::scripted_bigquery::{Behaviour, Call, ScriptedBigQuery};

/// Terminates TLS in front of the plain server.
const RELAY: &str = "
import socket, ssl, sys, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.set_alpn_protocols(['http/1.1'])
listener = socket.create_server(('127.0.0.1', 443))
print('ready', flush=True)
def copy(source, target):
    while data := source.recv(65536):
        target.sendall(data)
while True:
    plain, _ = listener.accept()
    def serve(plain):
        try:
            secret = context.wrap_socket(plain, server_side=True)
            server = socket.create_connection(('127.0.0.1', 80))
            threading.Thread(target=copy, args=(server, secret), daemon=True).start()
            copy(secret, server)
        except OSError as error:
            print(error, file=sys.stderr, flush=True)
    threading.Thread(target=serve, args=(plain,), daemon=True).start()
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let listener = TcpListener::bind(("127.0.0.1", 80))?;
    let server =
        ScriptedBigQuery::listen(listener, Behaviour { token: Some("token-1".into()), ..Behaviour::default() });
    let relay = match arguments.as_slice() {
        [certificate, key] => {
            let mut command = Command::new("python3");
            let command = command.args(["-c", RELAY, certificate, key]).stdout(std::process::Stdio::piped());
            let mut relay = command.spawn()?;
            let mut ready = [0; 5];
            relay.stdout.as_mut().ok_or("its output is piped")?.read_exact(&mut ready)?;
            Some(relay)
        }
        _ => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let retry =
        Retry { first_pause: Duration::from_millis(10), give_up_after: Duration::from_secs(5), ..Retry::default() };
    let done: Result<_, obs_runtime::bigquery::BigQueryError> = runtime.block_on(async {
        let builder = Client::builder().endpoint("http://127.0.0.1/bigquery/v2").retry(retry);
        let client = builder.project("p").build().await?;
        let first = client.query("SELECT n FROM d.t").rows::<u64>().await?.all().await?;
        server.change(|behaviour| behaviour.token = Some("token-2".into()));
        let second = client.query("SELECT n FROM d.t").rows::<u64>().await?.all().await?;
        Ok((first, second))
    });
    println!("{done:?}");
    for request in server.requests(Call::Token) {
        println!("{} {:?} {}", request.path, request.flavour, request.text);
    }
    std::io::stdout().flush()?;
    if let Some(mut relay) = relay {
        relay.kill()?;
    }
    drop(TcpStream::connect(("127.0.0.1", 80)));
    Ok(())
}
