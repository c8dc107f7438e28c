//! Whether Datadog gets its data from an agent or by its API, where the configuration leaves it open.

use crate::config::validated::Config;
use crate::program::self_checks::datadog;

/// Serverless platforms, by a variable that they set.
const PLATFORMS: [(&str, &str); 7] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "AWS Lambda"),
    ("CLOUD_RUN_JOB", "Cloud Run"),
    ("K_SERVICE", "Cloud Run"),
    ("FUNCTIONS_WORKER_RUNTIME", "Azure Functions"),
    ("CONTAINER_APP_NAME", "Azure Container Apps"),
    ("WEBSITE_SITE_NAME", "Azure App Service"),
    ("ECS_CONTAINER_METADATA_URI_V4", "Amazon ECS"),
];

/// Chooses the API on a serverless platform without an agent, if there is a key. Returns what to say about it: nothing is decided
/// silently. `variable` is whether a variable is set.
pub fn choose(config: &mut Config, variable: impl Fn(&str) -> bool) -> Option<String> {
    if !config.datadog_enabled || config.datadog_agentless.is_some() {
        return None;
    }
    let (name, platform) = PLATFORMS.into_iter().find(|(name, _)| variable(name))?;
    let missing = datadog::agent(&config.datadog_agent()).err()?;
    let seen = format!("this is {platform} ({name} is set), and {missing}");
    if cfg!(not(feature = "datadog-agentless")) {
        return Some(format!(
            "{seen}: Datadog gets nothing; its API needs the feature datadog-agentless of obs-runtime and \
             DATADOG_AGENTLESS=true"
        ));
    }
    if config.datadog_api_key.is_none() {
        return Some(format!(
            "{seen}: Datadog gets nothing; its API gets all with DATADOG_AGENTLESS=true, DATADOG_API_KEY and DATADOG_SITE"
        ));
    }
    config.datadog_agentless = Some(true);
    Some(format!(
        "{seen}: its API at {} gets all; DATADOG_AGENTLESS=true says that it is meant, DATADOG_AGENTLESS=false that an agent will \
         come",
        config.datadog_api_url()
    ))
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::base::secret::Secret;

    fn config(port: u16) -> Config {
        Config::default().with(|config| {
            config.datadog_enabled = true;
            config.datadog_agent_port = port;
            config.datadog_api_key = Some(Secret::new("0123456789abcdef".to_owned()));
            config.datadog_site = "datadoghq.eu".to_owned();
        })
    }

    fn free_port() -> u16 {
        UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }

    #[test]
    fn the_choice_on_a_serverless_platform_without_an_agent_is_said() {
        let mut chosen = config(free_port());
        let said = choose(&mut chosen, |name| name == "K_SERVICE").unwrap();
        let api = cfg!(feature = "datadog-agentless");
        assert_eq!(chosen.datadog_agentless, api.then_some(true));
        let expected = if api { "its API at https://api.datadoghq.eu gets all" } else { "needs the feature" };
        for part in ["this is Cloud Run (K_SERVICE is set)", "no Datadog agent listens at udp://127.0.0.1:", expected] {
            assert!(said.contains(part), "{said}");
        }
        assert!(!said.contains("0123456789abcdef"));
        let mut without_key = config(free_port()).with(|config| config.datadog_api_key = None);
        let said = choose(&mut without_key, |name| name == "AWS_LAMBDA_FUNCTION_NAME").unwrap();
        assert!(
            said.contains("AWS Lambda") && said.contains("gets nothing") && said.contains("DATADOG_AGENTLESS"),
            "{said}"
        );
        assert_eq!(without_key.datadog_agentless, None);
    }

    #[test]
    fn nothing_is_chosen_elsewhere() {
        let agent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let with_agent = config(agent.local_addr().unwrap().port());
        let told = config(free_port()).with(|config| config.datadog_agentless = Some(false));
        let off = config(free_port()).with(|config| config.datadog_enabled = false);
        for (config, platform) in [(with_agent, true), (told, true), (off, true), (config(free_port()), false)] {
            let mut after = config.clone();
            assert_eq!(choose(&mut after, |_| platform), None);
            assert!(after == config);
        }
    }
}
