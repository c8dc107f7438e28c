//! A program that measures two thousand things under hostile names and tags, and ends.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = obs_runtime::init_observability()?;
    obs_tests::hostile::measure(2000, || guard.flush());
    Ok(())
}
