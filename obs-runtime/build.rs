//! Empty: cargo wants a build script of a package that has `links`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
