//! A crate of which the program uses one function. Nothing refers to its checks.

/// The function that the program uses.
pub fn number() -> usize {
    of_any::<u64>().len()
}

fn of_any<T: Default>() -> Vec<T> {
    #[obs_runtime::dq_check(dataset = "orders")]
    fn in_a_generic_function() -> bool {
        true
    }
    vec![T::default()]
}

mod private {
    #[obs_runtime::dq_check(dataset = "orders", fail_above = 0)]
    fn null_ids() -> u64 {
        0
    }
}

/// A module for each table.
macro_rules! tables {
    ($($table:ident $name:literal),*) => {$(
        pub mod $table {
            /// The rows of a table of any type.
            pub struct Rows<T>(pub Vec<T>);

            impl<T> Rows<T> {
                /// The number of rows.
                pub fn count(&self) -> usize {
                    #[obs_runtime::dq_check(name = $name, dataset = "orders")]
                    fn has_rows() -> bool {
                        true
                    }
                    self.0.len()
                }
            }
        }
    )*};
}
tables!(lines "lines_has_rows", payments "payments_has_rows");

#[cfg(feature = "more")]
mod behind_a_feature {
    #[obs_runtime::health_check(groups("live"))]
    async fn behind_a_feature() -> Result<(), String> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #[obs_runtime::dq_check]
    fn in_tests() -> bool {
        true
    }

    #[test]
    fn checks_of_a_test_are_registered_with_the_others() {
        let catalogue = obs_runtime::catalogue();
        let names: Vec<_> = catalogue.dq_checks.iter().map(|check| &*check.name).collect();
        assert_eq!(names, ["in_a_generic_function", "in_tests", "lines_has_rows", "null_ids", "payments_has_rows"]);
        assert!(obs_runtime::run_dq_checks().only(["in_tests"]).wait().passed());
    }
}
