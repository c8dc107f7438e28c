#!/usr/bin/env bash
# The files of examples/generated, made from the attributes of the four examples.
#
#   examples/generate.sh --output   writes them
#   examples/generate.sh --check    fails if they do not fit the code, for CI
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [[ ${1-} != --output && ${1-} != --check ]]; then
    sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
fi
readonly HOW=$1

# Files of one target for one program, with the options of the target.
generate() {
    local program=$1 target=$2
    cargo run --quiet --example "$program" -- \
        generate "$target" --service "$program" "${@:3}" "$HOW" "examples/generated/$target"
}

for program in bq-query-cost data-quality health-check nightly-load; do
    generate "$program" prometheus
    generate "$program" alertmanager
    generate "$program" grafana --job --logs-url 'https://logs.example/?correlation_id={correlation_id}'
    generate "$program" datadog --notify @slack-data
done
# The only one with a schedule.
generate nightly-load kubernetes --image registry.example/nightly-load:1
generate nightly-load systemd --program /usr/local/bin/nightly-load
