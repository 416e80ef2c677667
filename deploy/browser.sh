#!/bin/sh
# Makes sure that the tests have a Chromium and a real site to read: what this machine has, else Debian's packages
# `chromium` and `sqlite3-doc` where apt works, else Playwright's own browser.
set -eu
cd "$(dirname "$0")/.."

site=/usr/share/doc/sqlite3/index.html

has_browser() {
    for name in chromium chromium-browser google-chrome; do
        "$name" --version >/dev/null 2>&1 </dev/null && return 0 # a snap's empty shell fails here
    done
    return 1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_works() {
    command -v apt-get >/dev/null 2>&1 && as_root true >/dev/null 2>&1
}

# Images for containers often leave documentation out of packages: the option takes this one's in.
apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o "DPkg::Options::=--path-include=/usr/share/doc/sqlite3/*" "$@" </dev/null
}

missing=
has_browser || missing=chromium
[ -e "$site" ] || missing="$missing sqlite3-doc"

if [ -n "$missing" ] && apt_works; then
    echo "Installing with apt: $missing"
    as_root apt-get update -q </dev/null || echo "apt-get update failed; trying with the lists there are" >&2
    for package in $missing; do
        apt_install --reinstall "$package" || echo "apt could not install $package" >&2
    done
fi

if ! has_browser; then
    echo "No Chromium on this machine: asking Playwright for its own"
    .venv/bin/playwright install chromium </dev/null
fi
if [ ! -e "$site" ]; then
    echo "The SQLite documentation is missing ($site): install the Debian package sqlite3-doc." \
        "The end-to-end test on a real site will fail without it." >&2
fi
