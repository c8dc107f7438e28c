//! `budget list`, `budget show`, `budget set` and `budget reset`

use crate::bigquery::budget::status::BudgetStatus;
use crate::bigquery::refused::CostLimit;
use crate::config::budgets;
use crate::program::cli::arguments::Format;
use crate::program::cli::output::{OutputFailed, UNKNOWN, json, print, print_error};
use crate::program::cli::table::{Cell, table};

/// The commands of `budget`.
#[derive(Clone, Debug, clap::Subcommand)]
#[non_exhaustive]
pub enum BudgetCommand {
    /// Lists the budgets in their current periods, in US dollars.
    List(BudgetListArguments),
    /// Prints one budget, and the jobs of ended processes that are not booked yet.
    Show(BudgetShowArguments),
    /// Sets the limit of a budget for all processes that share it, also those that run. It applies instead of `OBS_BUDGETS`.
    Set(BudgetSetArguments),
    /// Forgets what was spent of a budget in its current period. What running queries hold stays.
    Reset(BudgetResetArguments),
}

/// Arguments of `budget list`.
#[derive(Clone, Debug, clap::Args)]
pub struct BudgetListArguments {
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Arguments of `budget show`.
#[derive(Clone, Debug, clap::Args)]
pub struct BudgetShowArguments {
    /// The name of the budget.
    name: String,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Arguments of `budget set`.
#[derive(Clone, Debug, clap::Args)]
pub struct BudgetSetArguments {
    /// The name of the budget.
    name: String,
    /// The limit: 50USD/day, …/week or …/month.
    limit: String,
}

/// Arguments of `budget reset`.
#[derive(Clone, Debug, clap::Args)]
pub struct BudgetResetArguments {
    /// The name of the budget.
    name: String,
    /// Remove the limit that `budget set` has set, so that `OBS_BUDGETS` applies again; keep what was spent.
    #[arg(long)]
    limit: bool,
}

impl BudgetCommand {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::List(_) => "budget list",
            Self::Show(_) => "budget show",
            Self::Set(_) => "budget set",
            Self::Reset(_) => "budget reset",
        }
    }

    pub(super) fn run(&self) -> Result<u8, OutputFailed> {
        let done = match self {
            Self::List(arguments) => BudgetStatus::all().map(|all| match arguments.format {
                Format::Json => json(&all, true),
                Format::Text => list(&all),
            }),
            Self::Show(arguments) => BudgetStatus::named(&arguments.name).map(|budget| match arguments.format {
                Format::Json => json(&budget, true),
                Format::Text => show(&budget),
            }),
            Self::Set(BudgetSetArguments { name, limit }) => match budgets::parse(&format!("{name}={limit}")) {
                Ok(parsed) if parsed.len() == 1 => set(&parsed),
                Ok(_) | Err(None) => {
                    print_error(&format!("`{limit}` is no limit; allowed: 50USD/day, 50USD/week or 50USD/month"));
                    return Ok(UNKNOWN);
                }
                Err(Some(near)) => {
                    let near = near.split_once('=').map_or(&*near, |(_, near)| near);
                    print_error(&format!(
                        "`{limit}` is no limit; allowed: 50USD/day, 50USD/week or 50USD/month; did you mean `{near}`?"
                    ));
                    return Ok(UNKNOWN);
                }
            },
            Self::Reset(BudgetResetArguments { name, limit: true }) => {
                BudgetStatus::unset(name).map(|()| format!("the limit of {name} is that of OBS_BUDGETS"))
            }
            Self::Reset(BudgetResetArguments { name, limit: false }) => {
                BudgetStatus::reset(name).and_then(|()| BudgetStatus::named(name)).map(|budget| list(&[budget]))
            }
        };
        match done {
            Ok(text) => print(&text).map(|()| 0),
            Err(limit) => {
                print_error(&fault(&limit));
                Ok(UNKNOWN)
            }
        }
    }
}

fn set(parsed: &[budgets::Budget]) -> Result<String, CostLimit> {
    let budget = parsed.first();
    let name = budget.map(|budget| &*budget.name).unwrap_or_default();
    budget.map_or(Ok(()), BudgetStatus::set)?;
    BudgetStatus::named(name).map(|budget| list(&[budget]))
}

/// What is wrong, as a sentence of its own.
fn fault(limit: &CostLimit) -> String {
    let text = limit.to_string();
    text.strip_prefix("and ").unwrap_or(&text).to_owned()
}

fn list(budgets: &[BudgetStatus]) -> String {
    let row = |budget: &BudgetStatus| {
        let usd = |usd: f64| Cell::number(format!("{usd:.6}"));
        vec![
            Cell::new(&budget.budget),
            Cell::new(&budget.limit),
            Cell::new(&budget.period),
            usd(budget.spent_usd),
            usd(budget.estimated_usd),
            usd(budget.held_usd),
            usd(budget.left_usd),
            Cell::new(budget.source),
        ]
    };
    let heading = ["budget", "limit", "period", "spent", "of it estimated", "held", "left", "source"];
    table(&heading, &budgets.iter().map(row).collect::<Vec<_>>())
}

fn show(budget: &BudgetStatus) -> String {
    let rows: Vec<Vec<Cell>> = (budget.unsettled_jobs.iter())
        .map(|job| {
            let location = job.location.as_deref().unwrap_or_default();
            let estimate = Cell::number(format!("{:.6}", job.estimate_usd));
            vec![Cell::new(&job.job), Cell::new(&job.project), Cell::new(location), estimate]
        })
        .collect();
    let budget = list(std::slice::from_ref(budget));
    if rows.is_empty() {
        return budget;
    }
    format!("{budget}\n{}", table(&["unsettled job", "project", "location", "estimate"], &rows))
}
