//! What the guides tell: the test kit, troubleshooting, tasks and threads, usage of arguments.

mod documents;
mod generated_files;
mod tasks;
mod test_kit;
mod test_kit_costs;
mod troubleshooting;
mod troubleshooting_data;
