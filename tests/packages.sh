#!/usr/bin/env bash
# Packs the two crates as they would be published, and runs their unit tests without the workspace around them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cargo package --quiet --allow-dirty --no-verify --package obs-macros --package obs-runtime
for crate in obs-macros obs-runtime; do
    tar -xzf "$target/package/$crate-$version.crate" -C "$folder"
done
export CARGO_TARGET_DIR=$target
(cd "$folder/obs-macros-$version" && cargo test --quiet --lib)
(
    cd "$folder/obs-runtime-$version"
    cargo test --quiet --lib --all-features --config "patch.crates-io.obs-macros.path='$folder/obs-macros-$version'"
)
