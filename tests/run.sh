#!/usr/bin/env bash
# Runs the tests of the whole workspace, once what they need is installed.
#
#   tests/run.sh         all of them, real servers included: installs what is missing of Prometheus, promtool,
#                        node_exporter, Pushgateway and wrk (Debian's packages), Python's readers of what obs writes and
#                        Datadog's agent for functions (an environment in target/tools), and the servers of tests/go (there)
#   tests/run.sh quick   those that need no server; installs nothing
#
# Says nothing of installing unless it fails.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly TOOLS="${CARGO_TARGET_DIR:-target}/tools"
readonly PYTHON_PACKAGES=(
    datadog-serverless-compat==0.19.0 jsonschema==4.26.0 junitparser==5.0.3 openlineage-python==1.54.0 prometheus_client==0.26.0
    sentry-relay==0.10.1
)
readonly BUGSINK=bugsink==2.6.1

quietly() {
    local said
    if ! said=$("$@" 2>&1); then
        printf '%s\n' "$said" "failed: $*" >&2
        return 1
    fi
}

have() {
    command -v "$1" >/dev/null
}

# The packages start their servers only where systemd runs, on ports that no test uses.
install_packages() {
    if ! have apt-get; then
        echo "not Debian: please install what has the programs of the packages $*" >&2
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
    if ! have prometheus-pushgateway && ! have pushgateway; then
        missing+=(prometheus-pushgateway)
    fi
    if ! have prometheus-node-exporter && ! have node_exporter; then
        missing+=(prometheus-node-exporter)
    fi
    if ! have wrk; then
        missing+=(wrk)
    fi
    for reader in jq lnav; do
        if ! have "$reader"; then
            missing+=("$reader")
        fi
    done
    if ! have openssl; then
        missing+=(openssl)
    fi
    if ! have python3 || ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        missing+=(python3-venv)
    fi
    # A network of its own, for what binds all addresses.
    if ! have unshare || ! have ip; then
        missing+=(util-linux iproute2)
    fi
    if ((${#missing[@]} > 0)); then
        install_packages "${missing[@]}"
    fi
}

# A Python environment in target/tools with these packages, and no other.
install_python() {
    local folder="$TOOLS/$1" wanted="${*:2}"
    if [[ -x $folder/bin/python && $(cat "$folder/packages" 2>/dev/null) == "$wanted" ]]; then
        return
    fi
    quietly python3 -m venv --clear "$folder"
    quietly "$folder/bin/python" -m pip install --disable-pip-version-check "${@:2}"
    printf '%s' "$wanted" >"$folder/packages"
}

# The servers written in Go, of the versions that tests/go pins.
install_go_servers() {
    if cmp --silent tests/go/go.sum "$TOOLS/go.sum"; then
        return
    fi
    if ! have go; then
        echo "please install Go 1.25 or later: https://go.dev/dl" >&2
        return 1
    fi
    mkdir -p "$TOOLS"
    quietly env GOFLAGS=-mod=readonly go build -C tests/go -o "$(realpath "$TOOLS")/" tool
    cp tests/go/go.sum "$TOOLS/go.sum"
}

case "${1-}" in
'')
    install_servers
    install_python python "${PYTHON_PACKAGES[@]}"
    install_python bugsink "$BUGSINK"
    # Go and cargo build beside each other: the servers take eight minutes the first time.
    install_go_servers &
    readonly GO_SERVERS=$!
    cargo test --quiet --no-run --workspace
    wait "$GO_SERVERS"
    exec cargo test --quiet --no-fail-fast --workspace
    ;;
quick)
    # Without obs-tests' feature `real`; obs-runtime as its users have it by default.
    exec cargo test --quiet --no-fail-fast --workspace --no-default-features --features obs-runtime/default
    ;;
*)
    sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
