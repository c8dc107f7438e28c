//! Application Default Credentials: a user's or service account's file, or the machine's account. The order is that of
//! `gcp-bigquery-client`, which does not hand out tokens for requests other than its own.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use gcp_bigquery_client::auth::Authenticator;
use gcp_bigquery_client::error::BQError;
use gcp_bigquery_client::yup_oauth2::authenticator::{ApplicationDefaultCredentialsTypes, Authenticator as Tokens};
use gcp_bigquery_client::yup_oauth2::authorized_user::AuthorizedUserSecret;
use gcp_bigquery_client::yup_oauth2::{
    ApplicationDefaultCredentialsAuthenticator, ApplicationDefaultCredentialsFlowOpts, AuthorizedUserAuthenticator,
    DefaultHyperClientBuilder, HyperClientBuilder,
};
use serde::Deserialize;

const SCOPE: &str = "https://www.googleapis.com/auth/bigquery";

/// Reads the credentials that the environment offers. Requests no token.
pub async fn from_environment() -> Result<Arc<dyn Authenticator>, BQError> {
    if let Some(user) = user()? {
        let tokens = AuthorizedUserAuthenticator::builder(user).build().await;
        return Ok(Arc::new(Credentials(tokens.map_err(BQError::InvalidAuthorizedUserAuthenticator)?)));
    }
    let options = ApplicationDefaultCredentialsFlowOpts::default();
    let tokens = match ApplicationDefaultCredentialsAuthenticator::builder(options).await {
        ApplicationDefaultCredentialsTypes::InstanceMetadata(machine) => machine.build().await,
        ApplicationDefaultCredentialsTypes::ServiceAccount(account) => account.build().await,
    };
    Ok(Arc::new(Credentials(tokens.map_err(BQError::InvalidApplicationDefaultCredentialsAuthenticator)?)))
}

/// The credentials of a user, if the file of the environment or of `gcloud` has some.
fn user() -> Result<Option<AuthorizedUserSecret>, BQError> {
    #[derive(Deserialize)]
    struct Kind {
        #[serde(rename = "type")]
        kind: String,
    }
    let folder = if cfg!(windows) { "APPDATA" } else { "HOME" };
    let below = if cfg!(windows) { "gcloud" } else { ".config/gcloud" };
    let of_gcloud = || {
        let folder = PathBuf::from(std::env::var_os(folder)?);
        Some(folder.join(below).join("application_default_credentials.json"))
    };
    let file = std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from).or_else(of_gcloud);
    let Some(text) = file.and_then(|file| std::fs::read_to_string(file).ok()) else { return Ok(None) };
    match serde_json::from_str::<Kind>(&text) {
        Ok(Kind { kind }) if kind == "authorized_user" => Ok(Some(serde_json::from_str(&text)?)),
        _ => Ok(None),
    }
}

#[derive(Clone)]
struct Credentials(Tokens<<DefaultHyperClientBuilder as HyperClientBuilder>::Connector>);

impl Authenticator for Credentials {
    // The signature that `#[async_trait]` expects.
    fn access_token<'life0, 'async_trait>(
        &'life0 self,
    ) -> Pin<Box<dyn Future<Output = Result<String, BQError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async { self.0.token(&[SCOPE]).await?.token().map(str::to_owned).ok_or(BQError::NoToken) })
    }
}
