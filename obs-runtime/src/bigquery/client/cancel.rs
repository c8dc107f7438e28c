//! Cancels jobs, and counts what they cost.
//!
//! Cancelled jobs may still incur costs: <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/cancel>.
//! So BigQuery is asked what it billed. If it cannot be asked, the estimate counts as spent.

use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use crate::base::clock;
use crate::bigquery::client::connect::Connection;
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::job_api;
use crate::bigquery::client::job_statistics::statistics;
use crate::bigquery::client::retry::{Attempts, Retry, request};
use crate::bigquery::guard::CostReservation;
use crate::bigquery::statistics::QueryStatistics;
use crate::context::current::Context;
use crate::context::in_context::InContext;
use crate::instrument::spending;
use crate::metrics::drop_counters;
use crate::pipeline::global;

/// Retries of cancel requests: at short intervals, and for a short time.
const RETRY: Retry = Retry {
    first_pause: Duration::from_millis(200),
    longest_pause: Duration::from_secs(2),
    give_up_after: Duration::from_secs(20),
};

/// How long a job is looked for whose insert was not answered: the request may still be on its way.
const ARRIVAL: Duration = Duration::from_secs(2);

/// How long a cancelled job is polled until its cost is known.
const COST_TIMEOUT: Duration = Duration::from_mins(1);

/// A job that was sent to BigQuery, and what is held for it.
pub struct RunningJob {
    pub connection: Arc<Connection>,
    pub project: String,
    pub id: String,
    pub location: Option<String>,
    pub context: Context,
    pub reservation: Option<CostReservation>,
    /// Whether BigQuery has confirmed the insert.
    pub is_created: bool,
}

/// What is known of the cost of a cancelled job.
enum Cost {
    Known {
        statistics: QueryStatistics,
        has_failed: bool,
    },
    /// The job does not exist.
    None,
    /// BigQuery could not be asked, and why.
    Unknown(String),
}

/// The number of jobs that have ended or are cancelled, and whose cost is not counted yet.
static UNSETTLED: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// Increments [`UNSETTLED`] until dropped.
pub struct Unsettled(());

impl Unsettled {
    pub fn new() -> Self {
        *UNSETTLED.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(())
    }
}

impl Drop for Unsettled {
    fn drop(&mut self) {
        *UNSETTLED.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        UNSETTLED.1.notify_all();
    }
}

/// Until when BigQuery may be asked; none while the program runs.
fn asked_until() -> &'static watch::Sender<Option<Instant>> {
    static UNTIL: OnceLock<watch::Sender<Option<Instant>>> = OnceLock::new();
    UNTIL.get_or_init(|| watch::Sender::new(None))
}

/// Waits until the cost of all cancelled jobs is counted, at most for `deadline`. BigQuery is asked for most of that time;
/// the rest is for counting estimates.
pub fn finish(deadline: Duration) {
    let begun = Instant::now();
    let unsettled = UNSETTLED.0.lock().unwrap_or_else(PoisonError::into_inner);
    if *unsettled == 0 {
        return;
    }
    let _ = asked_until().send_replace(Some(clock::deadline(begun, deadline.saturating_sub(deadline / 4))));
    drop(UNSETTLED.1.wait_timeout_while(unsettled, deadline, |unsettled| *unsettled > 0));
    let _ = asked_until().send_replace(None);
}

/// Cancels a job on a thread of its own, because the caller's runtime may be shutting down.
pub fn cancel(job: RunningJob) {
    static WORKER: OnceLock<Option<UnboundedSender<(RunningJob, Unsettled)>>> = OnceLock::new();
    let worker = WORKER.get_or_init(|| {
        let (sender, receiver) = unbounded_channel();
        let thread = std::thread::Builder::new().name("obs-bigquery-stop".to_owned());
        thread.spawn(move || work(receiver)).ok().map(|_| sender)
    });
    let unsent = match worker {
        Some(worker) => worker.send((job, Unsettled::new())).err().map(|error| error.0.0),
        None => Some(job),
    };
    if let Some(job) = unsent {
        job.settle(Cost::Unknown("no thread could be started to ask".to_owned()));
    }
}

fn work(mut jobs: UnboundedReceiver<(RunningJob, Unsettled)>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        while let Some((job, unsettled)) = jobs.recv().await {
            tokio::task::spawn_local(async move {
                let context = job.context.clone();
                let cost = match select(pin!(InContext::new(context, job.cancel())), pin!(out_of_time())).await {
                    Either::Left((cost, _)) => cost,
                    Either::Right(((), _)) => Cost::Unknown("the program ended first".to_owned()),
                };
                job.settle(cost);
                drop(unsettled);
            });
        }
    });
}

/// Ends when BigQuery may not be asked any more.
async fn out_of_time() {
    let mut until = asked_until().subscribe();
    loop {
        let end = *until.borrow_and_update();
        // The sender is a static: it is never dropped.
        let changed = until.changed();
        match end {
            Some(end) => match select(pin!(changed), pin!(tokio::time::sleep_until(end.into()))).await {
                Either::Left(_) => {}
                Either::Right(_) => return,
            },
            None => drop(changed.await),
        }
    }
}

impl RunningJob {
    /// Cancels the job, then waits for its final cost.
    async fn cancel(&self) -> Cost {
        match self.try_cancel().await {
            Ok(cost) => cost,
            Err(error) => Cost::Unknown(error.to_string()),
        }
    }

    async fn try_cancel(&self) -> Result<Cost, BigQueryError> {
        let connection = Arc::new(self.connection.apart().await?);
        let names = (&*self.project, &*self.id, self.location.as_deref());
        let longest = if self.is_created { RETRY.give_up_after } else { ARRIVAL };
        let mut attempts = Attempts::new("jobs.cancel", RETRY.at_most(longest));
        loop {
            let cancelled = request(&connection, "jobs.cancel", RETRY, |api| async move {
                api.job().cancel_job(names.0, names.1, names.2).await
            });
            match cancelled.await {
                Ok(_) => break,
                Err(error) if error.is_not_found() => {
                    if !attempts.pause(&error).await {
                        return if self.is_created { Err(error) } else { Ok(Cost::None) };
                    }
                }
                Err(error) => return Err(error),
            }
        }
        let until = clock::deadline(Instant::now(), COST_TIMEOUT);
        let mut pause = RETRY.first_pause;
        loop {
            let now = job_api::get(&connection, RETRY, names).await?;
            let status = now.status.as_ref();
            if status.and_then(|status| status.state.as_deref()) == Some("DONE") {
                let has_failed = status.is_some_and(|status| status.error_result.is_some());
                return Ok(Cost::Known { statistics: statistics(&now, None), has_failed });
            }
            if Instant::now() >= until {
                return Ok(Cost::Unknown(format!("it still runs {COST_TIMEOUT:?} after it was cancelled")));
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(RETRY.longest_pause);
        }
    }

    /// Counts the cost.
    fn settle(self, cost: Cost) {
        let _inside = self.context.clone().enter();
        let Some(reservation) = self.reservation else {
            if let Cost::Unknown(why) = cost {
                drop_counters::count("bigquery", "cancellation", 1);
                global::warn(format!("BigQuery job {} could not be cancelled: {why}", self.id));
            }
            return;
        };
        match cost {
            Cost::Known { statistics, has_failed } if !has_failed || statistics.is_billed() => {
                reservation.settle_once(&statistics);
            }
            Cost::Known { .. } | Cost::None => reservation.cancel(),
            Cost::Unknown(why) => {
                drop_counters::count("bigquery", "cancellation", 1);
                let usd = reservation.settle_at_estimate().usd;
                global::warn(format!(
                    "BigQuery did not say what the cancelled job {} costs ({why}): its estimate of ${usd:.6} counts as spent",
                    self.id
                ));
            }
        }
        // The command may have reported its cost already.
        spending::report_ended(&self.context);
    }
}
