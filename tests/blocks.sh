#!/usr/bin/env bash
# Runs the shell blocks of the README and the guides, each in the top folder, with one shell. A block after a comment
# `<!-- not run: … -->` is left out. Stops at the first failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export PROMETHEUS_PORT=0

for document in README.md examples/README.md examples/template/README.md obs-runtime/docs/*.md; do
    awk -v prefix="$folder/${document//\//-}" '
        /^<!-- not run: / { skipped = 1; next }
        /^```sh$/ { if (!skipped) { file = sprintf("%s-%04d.sh", prefix, NR) } next }
        /^```/ { file = ""; skipped = 0; next }
        file { print >> file }
    ' "$document"
done
for block in "$folder"/*.sh; do
    printf '== %s\n' "$(basename "$block")"
    bash -euo pipefail "$block" >"$folder/output" 2>&1 || {
        cat "$block" "$folder/output" >&2
        exit 1
    }
done
