//! Each shape of function under each attribute does what the bare function does, whatever the edition of its crate.

use obs_tests::strangers::Stranger;

const SOURCES: [(&str, &str); 2] = [
    ("main.rs", include_str!("../strangers/shapes/main.rs")),
    ("functions.rs", include_str!("../strangers/shapes/functions.rs")),
];

#[test]
fn every_shape_does_the_same_in_every_edition() {
    for edition in ["2018", "2021", "2024"] {
        let manifest = format!("edition = \"{edition}\"\n[dependencies]\nobs-runtime = {{ path = \"{{obs}}\" }}");
        let name = format!("shapes-{edition}");
        let said = Stranger::new(&name, &manifest, &SOURCES).run(&name);
        let shapes: usize = said.strip_suffix(" shapes\n").and_then(|count| count.parse().ok()).unwrap_or_default();
        assert!(shapes > 50, "{edition}: {said}");
    }
}

#[test]
fn nothing_is_said_in_a_crate_that_denies_whatever_can_be() {
    for edition in ["2018", "2024"] {
        let name = format!("picky-{edition}");
        let manifest = format!(
            "edition = \"{edition}\"\n[dependencies]\nwatching = {{ path = \"{{obs}}\", package = \"obs-runtime\" }}"
        );
        let stranger = Stranger::new(&name, &manifest, &[("main.rs", include_str!("../strangers/picky.rs"))]);
        let said = stranger.clippy();
        assert!(said.is_empty(), "{edition}: {said:#?}");
        assert_eq!(stranger.run(&name), "8\n", "{edition}");
    }
}
