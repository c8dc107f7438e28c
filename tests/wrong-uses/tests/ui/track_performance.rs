//! `#[track_performance]`: accepted forms, then wrong uses.

use obs_runtime::track_performance;

#[track_performance]
fn plain() {}

#[track_performance(tags(kind = "x", size = rows.len()), args(first, rows = rows.len(), key = hash, name = len))]
fn arguments((first, _): (u8, u8), rows: &[u8], key: &str, name: &str) {
    let _ = (first, rows, key, name);
}

#[track_performance]
async fn asynchronous<'a>(mut text: String, more: &'a str) -> (String, &'a str) {
    text.push('!');
    (text, more)
}

struct Store;

trait Source {
    #[track_performance]
    fn default_method(&self) -> u8 {
        1
    }
}

impl Source for Store {}

impl Store {
    #[track_performance(args(of = self.default_method()))]
    fn method(&mut self) -> impl Iterator<Item = u8> {
        [self.default_method()].into_iter()
    }
}

#[track_performance(args(frist))]
fn misspelt((first, _): (u8, u8)) {
    let _ = first;
}

#[track_performance(args(self))]
fn no_self() {}

#[track_performance(args(rows, rows = 2, x(3)))]
fn wrong_list(rows: u8) {
    let _ = rows;
}

#[track_performance(args(api_key, session_id, authorization))]
fn secrets(api_key: &str, session_id: &str, authorization: &str) {
    let _ = (api_key, session_id, authorization);
}

#[track_performance(tags(outcome = 1, service = 2, environment = 3, version = 4, error_type = 5, job = 6, instance = 7))]
fn labels_of_obs() {}

#[track_performance(level = "INF")]
fn level_in_capitals() {}

#[track_performance(ok_if = "fine")]
fn text_for_a_path() {}

#[track_performance(crate = obs_runtime)]
fn relative_path() {}

#[track_performance]
enum NeitherThis {}

fn main() {
    plain();
    arguments((1, 2), &[], "k", "n");
    let _ = asynchronous(String::new(), "x");
    let _ = Store.method().count();
}

