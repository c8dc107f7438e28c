//! A running job, which is cancelled when the future that waits for it is dropped.

use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use gcp_bigquery_client::model::job::Job;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::base::clock;
use crate::bigquery::client::connect::Connection;
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::job_api;
use crate::bigquery::client::job_statistics::statistics;
use crate::bigquery::client::reason::Reason;
use crate::bigquery::client::retry::{Retry, request};
use crate::bigquery::client::tracked_client::Client;
use crate::bigquery::guard::CostReservation;
use crate::bigquery::price::Price;
use crate::bigquery::statistics::QueryStatistics;
use crate::context::current::Context;
use crate::metrics::drop_counters;

/// Retries of cancel requests: at short intervals, and for a short time.
const RETRY: Retry = Retry {
    first_pause: Duration::from_millis(200),
    longest_pause: Duration::from_secs(2),
    give_up_after: Duration::from_secs(20),
};

/// How long a cancelled job is polled until its cost is known.
const COST_TIMEOUT: Duration = Duration::from_mins(1);

/// A running job. Dropping it before the job has ended cancels the job.
pub struct Running(Option<Inner>);

struct Inner {
    connection: Arc<Connection>,
    project: String,
    id: String,
    location: Option<String>,
    context: Context,
    reservation: Option<CostReservation>,
}

impl Running {
    pub fn new(
        client: &Client,
        id: &str,
        location: Option<String>,
        context: &Context,
        reservation: Option<CostReservation>,
    ) -> Self {
        Self(Some(Inner {
            connection: Arc::clone(&client.connection),
            project: client.project.clone(),
            id: id.to_owned(),
            location,
            context: context.clone(),
            reservation,
        }))
    }

    pub fn id(&self) -> &str {
        self.0.as_ref().map_or("", |inner| &inner.id)
    }

    pub fn location(&self) -> Option<String> {
        self.0.as_ref()?.location.clone()
    }

    pub fn set_location(&mut self, location: Option<String>) {
        if let (Some(inner), Some(location)) = (&mut self.0, location) {
            inner.location = Some(location);
        }
    }

    /// Gets the state and the statistics of the job.
    pub async fn ask(&self, retry: Retry) -> Result<Job, BigQueryError> {
        let Some(inner) = &self.0 else { return Err(BigQueryError::Usage("the job has ended".to_owned())) };
        job_api::get(&inner.connection, retry, (&inner.project, &inner.id, inner.location.as_deref())).await
    }

    /// Renews the lease on the amounts held in budgets.
    pub async fn renew(&self, lease: Duration) {
        let reservation = self.0.as_ref().and_then(|inner| inner.reservation.as_ref());
        // The reservation stays here: it must be settled if this future is dropped.
        let budgets = reservation.map(|reservation| reservation.budgets().to_vec()).unwrap_or_default();
        if !budgets.is_empty() {
            let renew = move || budgets.iter().for_each(|held| held.renew(lease));
            // A failed renewal is repeated at the next poll.
            let _ = tokio::task::spawn_blocking(renew).await;
        }
    }

    /// Releases the reservation of a job that was never created.
    pub fn never_ran(&mut self) {
        if let Some(reservation) = self.0.take().and_then(|inner| inner.reservation) {
            reservation.cancel();
        }
    }

    /// Settles a job that succeeded. Returns its cost.
    pub fn ended(mut self, statistics: &QueryStatistics) -> Option<Price> {
        Some(self.0.take()?.reservation?.settle_once(statistics))
    }

    /// Settles a job that failed. A failed job costs nothing, except for the statements that a script completed.
    pub fn failed(mut self, statistics: &QueryStatistics, is_script: bool) {
        match self.0.take().and_then(|inner| inner.reservation) {
            Some(reservation) if is_script && statistics.bytes_billed.is_some_and(|bytes| bytes > 0) => {
                reservation.settle_once(statistics);
            }
            Some(reservation) => reservation.cancel(),
            None => {}
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(inner) = self.0.take() {
            stop(inner);
        }
    }
}

/// The number of jobs with an outstanding cancel request.
static WAITING: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// Increments [`WAITING`] until dropped.
struct Waiting;

impl Waiting {
    fn new() -> Self {
        *WAITING.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        *WAITING.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        WAITING.1.notify_all();
    }
}

/// Waits until all cancel requests have been sent, at most for `deadline`.
pub fn finish_cancellations(deadline: Duration) {
    let until = clock::deadline(Instant::now(), deadline);
    let mut waiting = WAITING.0.lock().unwrap_or_else(PoisonError::into_inner);
    while *waiting > 0 {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        waiting = WAITING.1.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// Cancels the job on a thread of its own, because the caller's runtime may be shutting down.
fn stop(inner: Inner) {
    static WORKER: OnceLock<Option<UnboundedSender<(Inner, Waiting)>>> = OnceLock::new();
    let worker = WORKER.get_or_init(|| {
        let (sender, receiver) = unbounded_channel();
        let thread = std::thread::Builder::new().name("obs-bigquery-stop".to_owned());
        thread.spawn(move || work(receiver)).ok().map(|_| sender)
    });
    let sent = worker.as_ref().is_some_and(|worker| worker.send((inner, Waiting::new())).is_ok());
    if !sent {
        drop_counters::count("bigquery", "cancellation", 1);
    }
}

fn work(mut jobs: UnboundedReceiver<(Inner, Waiting)>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        while let Some((inner, waiting)) = jobs.recv().await {
            tokio::task::spawn_local(async move {
                if stop_and_settle(inner, waiting).await.is_err() {
                    drop_counters::count("bigquery", "cancellation", 1);
                }
            });
        }
    });
}

/// Cancels a job, then waits for its final cost and reports it.
async fn stop_and_settle(inner: Inner, waiting: Waiting) -> Result<(), BigQueryError> {
    let Inner { connection, project, id, location, context, reservation } = inner;
    let connection = Arc::new(connection.apart().await?);
    let names = (&*project, &*id, location.as_deref());
    let told = request(&connection, RETRY, |api| async move { api.job().cancel_job(names.0, names.1, names.2).await });
    let told = told.await;
    drop(waiting);
    if told.as_ref().err().and_then(BigQueryError::reason).is_some_and(|reason: &Reason| *reason == "notFound") {
        // The job was never created.
        if let Some(reservation) = reservation {
            reservation.cancel();
        }
        return Ok(());
    }
    told?;
    let until = clock::deadline(Instant::now(), COST_TIMEOUT);
    let mut pause = RETRY.first_pause;
    while Instant::now() < until {
        let now = job_api::get(&connection, RETRY, names).await?;
        if now.status.as_ref().and_then(|status| status.state.as_deref()) == Some("DONE") {
            let statistics = statistics(&now, None);
            let _inside = context.enter();
            match reservation {
                Some(reservation) if statistics.bytes_billed.is_some_and(|bytes| bytes > 0) => {
                    reservation.settle_once(&statistics);
                }
                Some(reservation) => reservation.cancel(),
                None => {}
            }
            return Ok(());
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY.longest_pause);
    }
    Ok(())
}
