//! What must have finished before a check may start.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use crate::checks::quality::instance::CheckInstance;
use crate::checks::quality::partition::Partition;
use crate::checks::quality::report::QualityResult;
use crate::checks::quality::status::QualityStatus;
use crate::checks::runner::plan::Gate;

/// The gates of a run: one for each data set with blocking checks, and one for each name in an `after`.
#[derive(Debug)]
pub struct Gates {
    /// The gates that each check waits for.
    waits: Vec<Vec<usize>>,
    /// The gates that each check is a part of.
    holds: Vec<Vec<usize>>,
    states: RefCell<Vec<State>>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// Whether any check that rejects the data closes it, blocking or not.
    is_after: bool,
    /// How many of its checks have not finished.
    pending: usize,
    /// The first check that has closed it, and its status.
    closed: Option<(usize, QualityStatus)>,
}

/// The gates of one data set or name, one for each partition.
type ByPartition = BTreeMap<Option<Partition>, usize>;

/// The gates for the partition of a check, and those for all partitions. One without partitions is concerned by all.
fn concerning(gates: &ByPartition, check: &CheckInstance) -> Vec<usize> {
    let partition = check.partition;
    let concerns = |of: Option<Partition>| of.is_none() || partition.is_none() || of == partition;
    gates.iter().filter(|(of, _)| concerns(**of)).map(|(_, gate)| *gate).collect()
}

impl Gates {
    pub fn new(checks: &[CheckInstance]) -> Self {
        let mut gates = Self {
            waits: vec![Vec::new(); checks.len()],
            holds: vec![Vec::new(); checks.len()],
            states: RefCell::default(),
        };
        let mut of_dataset = HashMap::<_, ByPartition>::new();
        for (index, check) in checks.iter().enumerate().filter(|(_, check)| check.check.blocking) {
            let of_dataset = of_dataset.entry(check.dataset()).or_default();
            let gate = *of_dataset.entry(check.partition).or_insert_with(|| gates.add(false));
            gates.hold(index, gate);
        }
        let mut of_name = HashMap::<_, ByPartition>::new();
        for (index, check) in checks.iter().enumerate() {
            if !check.check.blocking {
                gates.waits[index]
                    .extend(of_dataset.get(&check.dataset()).iter().flat_map(|all| concerning(all, check)));
            }
            for name in check.check.after {
                let of_name = of_name.entry(*name).or_default();
                let gate = *of_name.entry(check.partition).or_insert_with(|| gates.add(true));
                gates.waits[index].push(gate);
            }
        }
        if !of_name.is_empty() {
            for (index, check) in checks.iter().enumerate() {
                let full = check.name();
                let names = [Some(check.check.name()), check.is_item().then_some(&*full)];
                for gate in names
                    .into_iter()
                    .flatten()
                    .filter_map(|name| of_name.get(name))
                    .flat_map(|all| concerning(all, check))
                {
                    gates.hold(index, gate);
                }
            }
        }
        gates
    }

    fn add(&mut self, is_after: bool) -> usize {
        let states = self.states.get_mut();
        states.push(State { is_after, ..State::default() });
        states.len() - 1
    }

    fn hold(&mut self, index: usize, gate: usize) {
        self.holds[index].push(gate);
        self.states.get_mut()[gate].pending += 1;
    }

    /// Whether the checks before this one let it run.
    pub fn of(&self, index: usize, checks: &[CheckInstance]) -> Gate {
        let states = self.states.borrow();
        for &gate in &self.waits[index] {
            if states[gate].pending > 0 {
                return Gate::Pending(gate);
            }
        }
        let mut closed = self.waits[index].iter().filter_map(|gate| states[*gate].closed);
        closed.next().map_or(Gate::Open, |(first, status)| {
            let how = if status == QualityStatus::NoData { "has no data" } else { status.as_str() };
            Gate::Closed(format!("skipped, because {} {how}", checks[first].shown_name()))
        })
    }

    /// Notes a result, and returns the gates that it has opened.
    pub fn opened(&self, index: usize, result: &QualityResult) -> Vec<usize> {
        let mut states = self.states.borrow_mut();
        let mut opened = Vec::new();
        for &gate in &self.holds[index] {
            let state = &mut states[gate];
            let closes = result.status == QualityStatus::Skipped
                || if state.is_after { result.rejects() } else { result.stops() };
            if closes && state.closed.is_none_or(|(first, _)| index < first) {
                state.closed = Some((index, result.status));
            }
            state.pending -= 1;
            if state.pending == 0 {
                opened.push(gate);
            }
        }
        opened
    }
}
