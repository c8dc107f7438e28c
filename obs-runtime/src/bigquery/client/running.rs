//! A running job, which is cancelled when the future that waits for it is dropped or the program ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use gcp_bigquery_client::model::job::Job;

use crate::bigquery::client::cancel;
use crate::bigquery::client::cancel::{RunningJob, Unsettled};
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::job_api;
use crate::bigquery::client::retry::{Attempts, Retry};
use crate::bigquery::client::tracked_client::Client;
use crate::bigquery::guard::CostReservation;
use crate::bigquery::price::Price;
use crate::bigquery::statistics::QueryStatistics;
use crate::context::current::Context;

/// How long `notFound` is not believed of a job that was created: right after the insert, BigQuery may not show the job
/// yet. Google's client retries, too: <https://github.com/googleapis/python-bigquery/issues/2134>.
pub const INVISIBLE: Duration = Duration::from_secs(30);

/// The jobs that run. Those that have ended are removed when the next one starts.
static RUNNING: Mutex<Vec<Weak<Slot>>> = Mutex::new(Vec::new());

/// Whether the program ends: then no job starts.
static ENDING: AtomicBool = AtomicBool::new(false);

/// A running job. Dropping it before the job has ended cancels the job.
pub struct Running {
    id: String,
    location: Option<String>,
    slot: Arc<Slot>,
}

/// The job, until one of these takes it to settle its cost: the future that waits for it, or the end of the program.
struct Slot(Mutex<Option<RunningJob>>);

impl Slot {
    fn register(self: &Arc<Self>) {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|slot| slot.strong_count() > 0);
        running.push(Arc::downgrade(self));
    }

    fn take(&self) -> Option<RunningJob> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn with<T>(&self, with: impl FnOnce(&mut RunningJob) -> T) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(with)
    }
}

impl Running {
    /// Registers a job that is about to be created.
    ///
    /// # Errors
    /// If the program ends.
    pub async fn new(
        client: &Client,
        id: &str,
        location: Option<String>,
        context: &Context,
        reservation: Option<CostReservation>,
    ) -> Result<Self, BigQueryError> {
        let job = RunningJob {
            connection: Arc::clone(&client.connection),
            project: client.project.clone(),
            id: id.to_owned(),
            location: location.clone(),
            context: context.clone(),
            reservation,
            is_created: false,
        };
        let slot = Arc::new(Slot(Mutex::new(Some(job))));
        slot.register();
        let running = Self { id: id.to_owned(), location, slot };
        // Read after the registration: either this sees the flag, or `end` finds the job.
        if ENDING.load(Ordering::SeqCst) {
            running.never_ran().await;
            return Err(ending());
        }
        Ok(running)
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn location(&self) -> Option<String> {
        self.location.clone()
    }

    /// Notes that BigQuery has created the job, and where.
    pub fn set_created(&mut self, location: Option<String>) {
        if location.is_some() {
            self.location = location;
        }
        self.slot.with(|job| {
            job.is_created = true;
            job.location.clone_from(&self.location);
        });
    }

    /// Gets the state and the statistics of the job.
    pub async fn ask(&self, retry: Retry) -> Result<Job, BigQueryError> {
        let mut attempts = Attempts::new("jobs.get", retry.at_most(INVISIBLE));
        loop {
            let job = self.slot.with(|job| (Arc::clone(&job.connection), job.project.clone(), job.is_created));
            let Some((connection, project, is_created)) = job else { return Err(ending()) };
            match job_api::get(&connection, retry, (&project, &self.id, self.location.as_deref())).await {
                Err(error) if is_created && error.is_not_found() && attempts.pause(&error).await => {}
                answer => return answer,
            }
        }
    }

    /// Renews the lease on the amounts held in budgets.
    pub async fn renew(&self, lease: Duration) {
        // The reservation stays in the slot: it must be settled if this future is dropped.
        let budgets = self.slot.with(|job| job.reservation.as_ref().map(|reservation| reservation.budgets().to_vec()));
        let budgets = budgets.flatten().unwrap_or_default();
        if !budgets.is_empty() {
            let renew = move || budgets.iter().for_each(|held| held.renew(lease));
            // A failed renewal is repeated at the next poll.
            let _ = tokio::task::spawn_blocking(renew).await;
        }
    }

    /// Releases the reservation of a job that was never created.
    pub async fn never_ran(&self) {
        let unsettled = Unsettled::new();
        if let Some(reservation) = self.slot.take().and_then(|job| job.reservation) {
            settle(reservation, unsettled, CostReservation::cancel).await;
        }
    }

    /// Settles a job that has ended. Returns its cost. A failed job costs nothing, unless BigQuery billed it.
    pub async fn ended(&self, statistics: &QueryStatistics, has_failed: bool) -> Option<Price> {
        let unsettled = Unsettled::new();
        let reservation = self.slot.take()?.reservation?;
        if has_failed && !statistics.is_billed() {
            settle(reservation, unsettled, CostReservation::cancel).await;
            return None;
        }
        let statistics = *statistics;
        settle(reservation, unsettled, move |reservation| reservation.settle_once(&statistics)).await
    }
}

/// Settles a reservation. If it holds an amount in a budget, on a thread of its own: a budget store is a file that other
/// processes may have locked. Runs to its end even if the caller's future is dropped.
async fn settle<R: Send + 'static>(
    reservation: CostReservation,
    unsettled: Unsettled,
    settle: impl FnOnce(CostReservation) -> R + Send + 'static,
) -> Option<R> {
    if reservation.budgets().is_empty() {
        return Some(settle(reservation));
    }
    let run = move || {
        let _unsettled = unsettled;
        settle(reservation)
    };
    tokio::task::spawn_blocking(run).await.ok()
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(job) = self.slot.take() {
            cancel::cancel(job);
        }
    }
}

fn ending() -> BigQueryError {
    BigQueryError::Usage("the program is ending: its BigQuery jobs are cancelled".to_owned())
}

/// Cancels all running jobs because the program is about to end, and waits until what they cost is counted, at most for
/// `deadline`.
pub fn end(deadline: Duration) {
    ENDING.store(true, Ordering::SeqCst);
    let running = std::mem::take(&mut *RUNNING.lock().unwrap_or_else(PoisonError::into_inner));
    running.iter().filter_map(Weak::upgrade).filter_map(|slot| slot.take()).for_each(cancel::cancel);
    cancel::finish(deadline);
}
