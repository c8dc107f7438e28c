//! How a server is reached: by a proxy, by a tunnel, and by TLS with an authority of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;

use obs_tests::certificates;
use obs_tests::process::{Finished, Process};
use obs_tests::tools;
use serde_json::Value;

/// A server that accepts everything: its port, and the first line, headers and body of each request.
fn recorder() -> (u16, mpsc::Receiver<(String, String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, (seen, requests)) = (listener.local_addr().unwrap().port(), mpsc::channel());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let seen = seen.clone();
            std::thread::spawn(move || {
                let mut reader = BufReader::new(&stream);
                loop {
                    let mut line = String::new();
                    if !matches!(reader.read_line(&mut line), Ok(1..)) {
                        return;
                    }
                    let (mut headers, mut length) = (String::new(), 0);
                    loop {
                        let mut header = String::new();
                        reader.read_line(&mut header).unwrap();
                        let header = header.trim().to_ascii_lowercase();
                        if header.is_empty() {
                            break;
                        }
                        length = header.strip_prefix("content-length: ").map_or(length, |text| text.parse().unwrap());
                        headers += &(header + "\n");
                    }
                    let mut body = vec![0; length];
                    reader.read_exact(&mut body).unwrap();
                    let _ = seen.send((line.trim().to_owned(), headers, String::from_utf8(body).unwrap()));
                    (&stream).write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").unwrap();
                }
            });
        }
    });
    (port, requests)
}

fn job(dsn: &str) -> Process {
    let job = Process::new(env!("CARGO_BIN_EXE_errors-job")).args(&["return"]).env("PROMETHEUS_PORT", "0");
    let job = job.env("SENTRY_ENABLED", "true").env("SENTRY_DSN", dsn).env("SENTRY_TRACES_SAMPLE_RATE", "0");
    job.env("LOG_LEVEL", "WARNING").env("OBS_FLUSH_TIMEOUT", "30s").env("NO_PROXY", "").env("no_proxy", "")
}

fn status(ended: &Finished) -> Value {
    let json = ended.stdout.lines().find_map(|line| line.strip_prefix("sentry "));
    serde_json::from_str(json.unwrap_or_else(|| panic!("no status: {ended:?}"))).unwrap()
}

#[test]
fn a_server_without_tls_is_reached_by_ordinary_requests_to_a_proxy() {
    let (port, requests) = recorder();
    let dsn = "http://0123456789abcdef@sentry.example.com:9000/42";
    let ended = job(dsn).env("HTTP_PROXY", format!("http://user:word@127.0.0.1:{port}")).run();
    assert!(status(&ended)["last_success"].is_string(), "{ended:?}");
    let requests: Vec<_> = requests.try_iter().collect();
    assert!(requests.iter().any(|(_, _, body)| body.contains("row 9 is bad")), "{requests:?}");
    for (line, headers, _) in requests {
        assert_eq!(line, "POST http://sentry.example.com:9000/api/42/envelope/ HTTP/1.1");
        for header in
            ["host: sentry.example.com:9000\n", "proxy-authorization: basic dxnlcjp3b3jk\n", "x-sentry-auth: "]
        {
            assert!(headers.contains(header), "{headers}");
        }
    }
}

#[test]
fn a_tunnel_gets_envelopes_that_name_their_project() {
    let (port, requests) = recorder();
    let dsn = "https://0123456789abcdef@sentry.example.com/42";
    let ended = job(dsn).env("SENTRY_TUNNEL", format!("http://127.0.0.1:{port}/tunnel")).run();
    assert!(status(&ended)["last_success"].is_string(), "{ended:?}");
    for (line, _, body) in requests.try_iter() {
        let header: Value = serde_json::from_str(body.lines().next().unwrap()).unwrap();
        let named = header["dsn"].as_str().map(|dsn| dsn.replace(":@", "@"));
        assert_eq!((&*line, named.as_deref()), ("POST /tunnel HTTP/1.1", Some(dsn)), "{body}");
    }
}

const SERVER: &str = "
import http.server, ssl, sys

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        self.rfile.read(int(self.headers['content-length']))
        self.send_response(200)
        self.send_header('content-length', '2')
        self.end_headers()
        self.wfile.write(b'{}')

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('server.pem', 'server.key')
server.socket = context.wrap_socket(server.socket, server_side=True)
print('port', server.server_address[1], flush=True)
server.serve_forever()
";

#[test]
fn an_authority_can_be_trusted_and_a_rejected_certificate_is_one_clear_warning() {
    let folder = tempfile::tempdir().unwrap();
    certificates::make(folder.path());
    let server = Process::new(tools::python()).args(&["-c", SERVER]).in_folder(folder.path()).start();
    let port = server.wait_for_output("its port", |line| Some(line.strip_prefix("port ")?.trim().to_owned()));
    let dsn = format!("https://0123456789abcdef@127.0.0.1:{port}/42");
    let warnings = |ended: &Finished| -> Vec<String> {
        ended
            .stderr
            .lines()
            .filter(|line| line.contains("WARNING") && line.contains("certificate"))
            .map(str::to_owned)
            .collect()
    };
    let ended = job(&dsn).env("SSL_CERT_FILE", "").run();
    let said = warnings(&ended);
    assert!(said.len() == 1 && said[0].contains("is not trusted") && said[0].contains("SENTRY_CA_CERTS"), "{ended:?}");
    assert!(status(&ended)["last_success"].is_null(), "{ended:?}");
    for variable in ["SENTRY_CA_CERTS", "SSL_CERT_FILE"] {
        let ended = job(&dsn).env(variable, folder.path().join("ca.pem")).run();
        assert!(status(&ended)["last_success"].is_string() && warnings(&ended).is_empty(), "{variable}: {ended:?}");
    }
    let ended = job(&dsn).env("SENTRY_CA_CERTS", folder.path().join("names")).run();
    assert!(warnings(&ended).iter().any(|line| line.contains("no certificate in PEM")), "{ended:?}");
    server.signal("TERM");
}
