//! Two functions in two modules have one name, and the metrics of both are added up.

mod extract {
    #[obs_runtime::track_performance]
    pub fn load() {}
}

mod store {
    #[obs_runtime::track_performance]
    #[obs_runtime::with_error_tracking]
    pub fn load() -> Result<(), String> {
        Ok(())
    }

    #[obs_runtime::track_performance(name = "store::write")]
    pub fn write() {}
}

#[obs_runtime::track_performance]
fn write() {}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = obs_runtime::init_observability()?;
    extract::load();
    store::load()?;
    write();
    store::write();
    for name in obs_runtime::catalogue().shared_names {
        println!("{name}");
    }
    Ok(())
}
