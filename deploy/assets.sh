#!/bin/sh
# Installs the browser assets that package-lock.json pins, and copies them to static/vendor.
# Without a usable npm on this machine, the one of the PyPI wheel in deploy/node.lock is used.
set -eu
cd "$(dirname "$0")/.."

npm_is_usable() {
    command -v node >/dev/null 2>&1 || return 1
    version=$(npm --version 2>/dev/null) || return 1
    [ "${version%%.*}" -ge 7 ] # older ones cannot read this lock file
}

if ! npm_is_usable; then
    node_venv=$PWD/.tools/node
    if ! cmp -s deploy/node.lock "$node_venv/node.lock"; then
        echo "No npm here: installing one in .tools/node"
        .venv/bin/python -m venv --clear --without-pip "$node_venv"
        .venv/bin/uv pip install --quiet --python "$node_venv/bin/python" --require-hashes -r deploy/node.lock
        cp deploy/node.lock "$node_venv/node.lock"
    fi
    PATH=$node_venv/bin:$PATH
    export PATH
fi

npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error </dev/null

mkdir -p static/vendor
cp node_modules/htmx.org/dist/htmx.min.js node_modules/htmx.org/dist/ext/hx-sse.min.js static/vendor/
