//! Records two thousand metrics with hostile names and tags.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = obs_runtime::init_observability()?;
    obs_tests::hostile_names::record(2000, || guard.flush());
    Ok(())
}
