//! Requests by reqwest.

use crate::Result;
use crate::work::{AT_A_TIME, REQUESTS};

/// One request with these headers. Returns the status.
pub async fn get(client: &reqwest::Client, url: &str, headers: Vec<(&'static str, String)>) -> Result<u16> {
    let request = headers.into_iter().fold(client.get(url), |request, (name, value)| request.header(name, value));
    let response = request.send().await?;
    let status = response.status().as_u16();
    response.bytes().await?;
    Ok(status)
}

/// All requests of a scene, many at a time, each with an id and a user of its own.
pub async fn many(url: impl Fn(u64) -> String + Clone + Send + 'static) -> Result<()> {
    let client = reqwest::Client::new();
    let clients: Vec<_> = (0..AT_A_TIME)
        .map(|first| {
            let (client, url) = (client.clone(), url.clone());
            tokio::spawn(async move {
                for number in (first..REQUESTS).step_by(AT_A_TIME as usize) {
                    let headers =
                        vec![("x-correlation-id", format!("id-{number}")), ("x-user", format!("user-{number}"))];
                    let expected = if number.is_multiple_of(10) { 503 } else { 200 };
                    let status = get(&client, &url(number), headers).await?;
                    if status != expected {
                        return Err(format!("request {number} got {status}").into());
                    }
                }
                Ok(())
            })
        })
        .collect();
    for client in clients {
        let ended: Result<()> = client.await?;
        ended?;
    }
    Ok(())
}
