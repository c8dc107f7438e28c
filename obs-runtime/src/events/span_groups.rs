//! Which spans of a command are kept one by one, and the sums of the others by operation.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, SystemTime};

use crate::base::outcome::Outcome;

/// Maximum number of spans of one operation that are kept one by one.
pub const MAX_OF_OPERATION: usize = 100;

/// Maximum number of spans that are kept one by one.
pub const MAX_SPANS: usize = 1000;

/// Maximum number of operations with a sum.
const MAX_GROUPS: usize = 200;

/// An operation: its name, and the attribute that its spans come from.
type Operation = (Cow<'static, str>, &'static str);

/// A span, without its children.
pub struct Candidate<'s> {
    pub id: u64,
    pub parent: u64,
    pub name: &'s Cow<'static, str>,
    pub op: &'static str,
    pub attribute: &'static str,
    pub begun: SystemTime,
    pub ended: SystemTime,
    pub outcome: Outcome,
}

/// What the spans of an operation have in common that are not kept one by one.
#[derive(Clone, Debug)]
pub struct Group {
    /// The id of the first of them, which stands for all.
    pub id: u64,
    /// The parent of all, or 0 if it differs.
    pub parent: u64,
    pub op: &'static str,
    /// The earliest beginning.
    pub begun: SystemTime,
    /// The latest end.
    pub ended: SystemTime,
    /// The first outcome that is not ok, if there is one.
    pub outcome: Outcome,
    /// How many spans there are.
    pub calls: u64,
    /// The sum of their durations.
    pub total: Duration,
}

/// The decisions of one command.
#[derive(Debug, Default)]
pub struct SpanGroups {
    kept: usize,
    kept_of: HashMap<Operation, usize>,
    groups: HashMap<Operation, Group>,
    /// The parents of kept spans that have not ended.
    parents: HashSet<u64>,
    /// The group of each of these parents that was not kept.
    grouped_parents: HashMap<u64, Operation>,
    /// How many spans are in no group, as there are too many operations.
    pub left_out: u64,
}

impl SpanGroups {
    /// Whether a span is kept. If not, it is added to its group.
    pub fn keeps(&mut self, span: &Candidate<'_>) -> bool {
        let operation = (span.name.clone(), span.attribute);
        let is_parent = self.parents.remove(&span.id);
        if self.kept < MAX_SPANS {
            let kept_of = self.kept_of.entry(operation.clone()).or_default();
            if *kept_of < MAX_OF_OPERATION {
                *kept_of += 1;
                self.kept += 1;
                self.parents.insert(span.parent);
                return true;
            }
        }
        if self.groups.len() >= MAX_GROUPS && !self.groups.contains_key(&operation) {
            self.left_out += 1;
            return false;
        }
        if is_parent {
            self.grouped_parents.insert(span.id, operation.clone());
        }
        let group = self.groups.entry(operation).or_insert_with(|| Group::new(span));
        group.add(span);
        false
    }

    /// The groups, and the id that stands for each parent of a kept span that is in a group.
    pub fn take(&mut self) -> (Vec<(Operation, Group)>, HashMap<u64, u64>) {
        let parents = std::mem::take(&mut self.grouped_parents).into_iter();
        let stand_ins = parents.filter_map(|(id, operation)| Some((id, self.groups.get(&operation)?.id))).collect();
        let mut groups: Vec<(Operation, Group)> = std::mem::take(&mut self.groups).into_iter().collect();
        groups.sort_by(|left, right| left.1.begun.cmp(&right.1.begun).then_with(|| left.0.cmp(&right.0)));
        (groups, stand_ins)
    }
}

impl Group {
    const fn new(first: &Candidate<'_>) -> Self {
        let &Candidate { id, parent, op, begun, ended, outcome, .. } = first;
        Self { id, parent, op, begun, ended, outcome, calls: 0, total: Duration::ZERO }
    }

    fn add(&mut self, span: &Candidate<'_>) {
        self.calls += 1;
        self.total = self.total.saturating_add(span.ended.duration_since(span.begun).unwrap_or_default());
        self.begun = self.begun.min(span.begun);
        self.ended = self.ended.max(span.ended);
        if self.parent != span.parent {
            self.parent = 0;
        }
        if self.outcome == Outcome::Ok {
            self.outcome = span.outcome;
        }
    }
}
