//! The cost of queries, of the process and of each command.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::level::Level;
use crate::context::current::Context;
use crate::events::event::{Details, Fact};
use crate::events::field::Field;
use crate::exporters::interface::Topic;
use crate::metrics::callsite::Callsite;
use crate::pipeline::global;

static PROCESS: Mutex<Spending> = Mutex::new(Spending { usd: 0.0, bytes_billed: 0, queries: 0, refused: 0 });

/// The cost of executed queries, without estimates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Spending {
    /// In US dollars.
    pub usd: f64,
    /// Billed bytes.
    pub bytes_billed: u64,
    /// The number of executed queries, including free ones.
    pub queries: u64,
    /// The number of queries refused because of their estimate.
    pub refused: u64,
}

/// The cost inside one run of a command.
#[derive(Debug)]
pub struct CommandSpending {
    command: &'static Callsite,
    outer: Option<Arc<Self>>,
    spent: Mutex<Spending>,
    has_ended: AtomicBool,
}

impl CommandSpending {
    /// Starts at zero, and adds itself to the context of the command.
    pub fn begin(command: &'static Callsite, context: &mut Context) -> Arc<Self> {
        let outer = context.extension::<Self>();
        let spending = Arc::new(Self { command, outer, spent: Mutex::default(), has_ended: AtomicBool::new(false) });
        context.set_extension(Arc::clone(&spending));
        spending
    }

    /// Logs the cost at the end of the command, unless it is zero.
    pub fn report(&self) {
        self.has_ended.store(true, Ordering::SeqCst);
        self.report_new();
    }

    /// Logs the cost since the last report, unless it is zero.
    fn report_new(&self) {
        let spent = std::mem::take(&mut *lock(&self.spent));
        if spent == Spending::default() {
            return;
        }
        let Spending { usd, bytes_billed, queries, refused } = spent;
        let count = if queries == 1 { "1 query".to_owned() } else { format!("{queries} queries") };
        let message = format!("{} spent ${usd:.6} on {count}", self.command.name());
        let fields = [
            Field::new("cost_usd", usd),
            Field::new("bytes_billed", bytes_billed),
            Field::new("queries", queries),
            Field::new("queries_refused", refused),
        ];
        global::emit(Topic::Log, Level::Info, global::source(self.command.place()), |_| {
            (Fact::Log { message: message.into() }, Details { fields: fields.into(), ..Details::default() })
        });
    }
}

/// Adds to the cost of the process and of the commands of a context.
pub fn add(context: &Context, change: impl Fn(&mut Spending)) {
    change(&mut lock(&PROCESS));
    let command = context.extension::<CommandSpending>();
    for command in std::iter::successors(command.as_deref(), |command| command.outer.as_deref()) {
        change(&mut lock(&command.spent));
    }
}

/// Logs the cost that was added to the commands of a context after they ended.
#[cfg(feature = "bigquery")]
pub fn report_ended(context: &Context) {
    let command = context.extension::<CommandSpending>();
    std::iter::successors(command.as_deref(), |command| command.outer.as_deref())
        .filter(|command| command.has_ended.load(Ordering::SeqCst))
        .for_each(CommandSpending::report_new);
}

/// The cost of all queries of the process that were reported to obs.
#[must_use]
pub fn spent() -> Spending {
    *lock(&PROCESS)
}

fn lock(spending: &Mutex<Spending>) -> std::sync::MutexGuard<'_, Spending> {
    spending.lock().unwrap_or_else(PoisonError::into_inner)
}
