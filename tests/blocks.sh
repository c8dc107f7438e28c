#!/usr/bin/env bash
# Runs the shell blocks of the README and the guides, each with one shell, and stops at the first failure. A block after a
# comment `<!-- not run: … -->` is left out.
#
# Blocks of the README and of the guides in examples/ run in the top folder. Those of obs-runtime/docs are for a program of
# the reader, `etl`: they run in an empty folder for each page, and `etl` is the example nightly-load.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export PROMETHEUS_PORT=0

cargo build --quiet --example nightly-load
mkdir "$folder/bin"
ln -s "$(realpath "${CARGO_TARGET_DIR:-target}/debug/examples/nightly-load")" "$folder/bin/etl"

# Writes each block of a document to a file, whose name has the number of the line at which the block begins.
split() {
    awk -v prefix="$2" '
        /^<!-- not run: / { skipped = 1; next }
        /^```sh$/ { if (!skipped) { file = sprintf("%s-%04d.sh", prefix, NR) } next }
        /^```/ { file = ""; skipped = 0; next }
        file { print >> file }
    ' "$1"
}

run() {
    printf '%s\n' "$1"
    bash -euo pipefail "$2" >"$folder/output" 2>&1 || {
        cat "$2" "$folder/output" >&2
        exit 1
    }
}

for document in README.md examples/README.md examples/template/README.md obs-runtime/docs/*.md; do
    page="$folder/${document//\//-}"
    split "$document" "$page"
    for block in "$page"-*.sh; do
        [[ -f $block ]] || continue
        line=${block##*-}
        place="$document:$((10#${line%.sh}))"
        case $document in
        obs-runtime/*)
            mkdir -p "$page.d"
            (cd "$page.d" && PATH="$folder/bin:$PATH" SERVICE_NAME=etl && export PATH SERVICE_NAME && run "$place" "$block")
            ;;
        *) run "$place" "$block" ;;
        esac
    done
done
