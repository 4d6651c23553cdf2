#!/bin/sh
# Make .venv and install one lock file and this checkout into it: tools/bootstrap.sh requirements.lock
#
# Needs nothing but Python 3.11 or newer. Packages are checked against the hashes of the lock file; uv installs them,
# plain pip does where uv cannot be had. Runs in a second when nothing changed.
set -eu
cd "$(dirname "$0")/.."
lock=$1
python=${PYTHON:-python3}
venv=.venv

say() { printf '%s\n' "$*" >&2; }

make_venv() {
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        say "Python 3.11 or newer is needed; set PYTHON to its path. 需要 Python 3.11 或更高版本。"
        exit 1
    }
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        if "$python" -m pip --version >/dev/null 2>&1; then
            say "python3-venv is missing; using virtualenv instead."
            "$python" -m pip install --quiet --target build/virtualenv virtualenv
            PYTHONPATH=build/virtualenv "$python" -m virtualenv --quiet "$venv"
            return
        fi
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
            say "python3-venv is missing; installing it with apt."
            apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv </dev/null >&2
        else
            say "python3-venv is missing. Please run / 请先执行: sudo apt-get install -y python3-venv"
            exit 1
        fi
    fi
    "$python" -m venv "$venv"
}

# uv does not read pip's configuration; a mirror set there is meant for it too.
use_pips_mirror() {
    mirror=${PIP_INDEX_URL:-$("$venv/bin/python" -m pip config get global.index-url 2>/dev/null || true)}
    if [ -n "$mirror" ] && [ -z "${UV_DEFAULT_INDEX:-}" ]; then
        UV_DEFAULT_INDEX=$mirror
        export UV_DEFAULT_INDEX
    fi
}

with_uv() {
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv || return 1
    use_pips_mirror
    uv="$venv/bin/uv pip install --quiet --compile-bytecode --python $venv/bin/python"
    $uv --require-hashes -r "$lock" && $uv --no-build-isolation --no-deps -e .
}

with_pip() {
    say "uv is not available here; installing with pip, which takes a minute."
    pip="$venv/bin/python -m pip install --quiet --disable-pip-version-check"
    $pip --require-hashes -r "$lock" && $pip --no-build-isolation --no-deps -e .
}

[ -x "$venv/bin/python" ] || make_venv
stamp="$venv/.installed-$lock"
wanted=$(cat "$lock" pyproject.toml | cksum)
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
    say "Installing $lock into $venv ..."
    with_uv || with_pip
    printf '%s\n' "$wanted" >"$stamp"
fi
