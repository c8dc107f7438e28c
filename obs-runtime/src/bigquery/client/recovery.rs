//! Asks BigQuery what became of jobs whose processes ended without settling them, and books what they cost on budgets.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;

use crate::bigquery::budget::budgets::LostHold;
use crate::bigquery::budget::store::LostShare;
use crate::bigquery::client::connect::Connection;
use crate::bigquery::client::job_api;
use crate::bigquery::client::job_statistics::statistics;
use crate::bigquery::client::retry::Retry;
use crate::bigquery::client::running::INVISIBLE;
use crate::bigquery::price::{Pricing, priced_as};
use crate::bigquery::scope::usd;
use crate::context::current::Context;

/// The lease on an amount held in a budget. Every poll of the job renews it. If the process is killed, the next query with the
/// budget asks BigQuery what the job cost; what it cannot say by the end of the lease counts as spent at the estimate.
pub const LEASE: Duration = Duration::from_mins(10);

/// Retries are short: a query waits for this.
const RETRY: Retry = Retry {
    first_pause: Duration::from_millis(200),
    longest_pause: Duration::from_secs(1),
    give_up_after: Duration::from_secs(2),
};

/// How long BigQuery is asked for all jobs, which the query may wait for beside its dry run. The next query asks for the rest:
/// until then their estimates stay held.
const ASKED_FOR: Duration = Duration::from_secs(4);

/// How long their costs may take to be booked after that.
const BOOKED_FOR: Duration = Duration::from_secs(1);

/// How many jobs BigQuery is asked for at a time.
const AT_ONCE: usize = 16;

/// What became of a job.
enum Outcome {
    /// It has ended, and cost this much in US dollars.
    Ended(f64),
    /// It runs, or may not be visible yet.
    Open,
    /// BigQuery did not say.
    Unknown(String),
}

/// Books the jobs of these budgets whose processes have ended. A job that still runs stays held. Returns for how long this
/// waited for the stores.
pub async fn recover(connection: &Arc<Connection>, context: &Context, budgets: BTreeSet<&'static str>) -> Duration {
    let budgets: Vec<&str> = budgets.into_iter().collect();
    let inside = context.clone();
    let find = move || {
        let _inside = inside.enter();
        LostHold::all(&budgets)
    };
    let begun = Instant::now();
    let Ok(lost) = tokio::task::spawn_blocking(find).await else { return Duration::ZERO };
    let found = begun.elapsed();
    if lost.is_empty() {
        return found;
    }
    let longest = &AtomicU64::new(0);
    let book = |hold: LostHold| async move {
        let asked = tokio::time::timeout(ASKED_FOR, outcome(connection, &hold.share)).await;
        let outcome = asked.unwrap_or_else(|_| Outcome::Unknown(format!("no answer within {ASKED_FOR:?}")));
        let (usd, why) = match outcome {
            Outcome::Ended(usd) => (usd, None),
            // It is asked again while its lease has not ended.
            Outcome::Unknown(why) if hold.share.lease_has_ended && is_older(&hold.share, LEASE) => {
                (usd(hold.share.nanos), Some(why))
            }
            Outcome::Open | Outcome::Unknown(_) => return,
        };
        let inside = context.clone();
        let book = move || {
            let _inside = inside.enter();
            hold.book(usd, why.as_deref());
        };
        let begun = Instant::now();
        let _ = tokio::task::spawn_blocking(book).await;
        longest.fetch_max(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    };
    let all = stream::iter(lost).for_each_concurrent(AT_ONCE, book);
    let _ = tokio::time::timeout(ASKED_FOR.saturating_add(BOOKED_FOR), all).await;
    found.saturating_add(Duration::from_millis(longest.load(Ordering::Relaxed)))
}

async fn outcome(connection: &Arc<Connection>, lost: &LostShare) -> Outcome {
    let job = &lost.job;
    if job.endpoint != connection.endpoint() {
        return Outcome::Unknown(format!("it ran at {}", job.endpoint));
    }
    let job = match job_api::get(connection, RETRY, (&job.project, &job.id, job.location.as_deref())).await {
        Ok(job) => job,
        // Outside of the US and EU a job is found with its location only:
        // <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/get>.
        Err(error) if error.is_not_found() && lost.job.location.is_some() => {
            return if is_older(lost, INVISIBLE) { Outcome::Ended(0.0) } else { Outcome::Open };
        }
        Err(error) => return Outcome::Unknown(error.summary()),
    };
    let status = job.status.as_ref();
    if status.and_then(|status| status.state.as_deref()) != Some("DONE") {
        return Outcome::Open;
    }
    let has_failed = status.is_some_and(|status| status.error_result.is_some());
    let statistics = statistics(&job, None);
    let is_free = has_failed && !statistics.is_billed();
    let statement = job.statistics.as_ref().and_then(|statistics| statistics.query.as_ref()?.statement_type.as_deref());
    let sql = job.configuration.as_ref().and_then(|configuration| Some(&*configuration.query.as_ref()?.query));
    let statement = priced_as(statement, sql.unwrap_or_default());
    let (pricing, _) = Pricing::of_job(lost.job.location.as_deref(), statement);
    Outcome::Ended(if is_free { 0.0 } else { pricing.actual(&statistics).usd })
}

/// Whether an amount is held for longer than this. If the clock was set back, it is not.
fn is_older(lost: &LostShare, than: Duration) -> bool {
    lost.at.elapsed().is_ok_and(|age| age > than)
}
