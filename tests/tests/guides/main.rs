//! What the guides tell: the test kit, troubleshooting, tasks and threads, usage of arguments.

mod documents;
mod generated_files;
mod tasks;
mod test_kit;
mod test_kit_costs;
mod test_kit_isolation;
mod troubleshooting;
mod troubleshooting_data;
