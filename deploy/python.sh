#!/bin/sh
# Prints a Python >= 3.11 that can make virtual environments: $PYTHON if set, else the newest one found.
set -eu

works='import sys; sys.exit(sys.version_info < (3, 11))'
can_make_environments='import ensurepip, venv'
without_venv=

for candidate in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}; do
    "$candidate" -c "$works" >/dev/null 2>&1 || continue
    if "$candidate" -c "$can_make_environments" >/dev/null 2>&1; then
        command -v "$candidate"
        exit 0
    fi
    without_venv=$candidate
done

if [ -n "$without_venv" ]; then
    echo "$without_venv cannot make virtual environments: install its venv module" \
        "(Debian and Ubuntu: apt install python3-venv)." >&2
else
    echo "Longhand needs Python 3.11 or newer; tried: ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}." \
        "Install one, or name it: make run PYTHON=/path/to/python" >&2
fi
exit 1
