#!/usr/bin/env bash
# Packs the two crates as they would be published, and runs their unit tests without the workspace around them.
#
#   tests/packages.sh         with the versions of Cargo.lock
#   tests/packages.sh oldest  with the oldest supported Rust, which rustup has, and the least version of each dependency
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly mode=${1-}
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cargo package --quiet --allow-dirty --no-verify --package obs-macros --package obs-runtime
for crate in obs-macros obs-runtime; do
    # Without the times in the archive, which are the same each time: cargo would take what it built from an earlier one.
    tar -xzmf "$target/package/$crate-$version.crate" -C "$folder"
done

export CARGO_TARGET_DIR=$target
cargo=(cargo)
if [[ $mode == oldest ]]; then
    cargo=(cargo "+$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)")
fi

# The unit tests of a package, with these options of cargo.
unit_tests() (
    cd "$folder/$1-$version"
    if [[ $mode == oldest ]]; then
        # An option of nightly Rust, which this variable turns on.
        RUSTC_BOOTSTRAP=1 "${cargo[@]}" -Z direct-minimal-versions generate-lockfile --quiet "${@:2}"
    fi
    "${cargo[@]}" test --quiet --lib --all-features "${@:2}"
)
unit_tests obs-macros
unit_tests obs-runtime --config "patch.crates-io.obs-macros.path='$folder/obs-macros-$version'"
