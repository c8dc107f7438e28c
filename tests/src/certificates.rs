//! Certificates for servers on loopback.

use std::path::Path;
use std::process::Command;

/// Writes the certificate of an authority, `ca.pem`, and one of 127.0.0.1 that it has signed, `server.pem` with the key `server.key`.
#[track_caller]
pub fn make(folder: &Path) {
    let run = |arguments: &str| {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().expect("openssl");
        assert!(output.status.success(), "{arguments}: {output:?}");
    };
    std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        .expect("the folder can be written");
    run("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority");
    run("req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=127.0.0.1");
    run("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names");
}
