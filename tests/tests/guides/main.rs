//! What the guides tell: the test kit, troubleshooting, tasks and threads, usage of arguments.

mod test_kit;
mod test_kit_costs;
