#!/bin/sh
# Finds a Python that can run this project and hands over to bootstrap.py beside this file.
# A name on PATH proves nothing (version managers leave shims that only print an error), so each
# candidate is tried. PYTHON=/path/to/python3 goes first.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
fits='import sys, ssl, sqlite3; sys.exit(sys.version_info < (3, 11))'

for python in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
    if [ -n "$python" ] && "$python" -c "$fits" >/dev/null 2>&1; then
        exec "$python" "$root/scripts/bootstrap.py" "$@"
    fi
done

found=$(python3 --version 2>/dev/null || echo 'no working python3')
cat >&2 <<MESSAGE
Python 3.11 or newer is needed (with ssl and sqlite3); found: $found. Install one (Debian, Ubuntu: sudo apt-get install python3.11 python3.11-venv) or name one: make PYTHON=/path/to/python3 ...
MESSAGE
exit 1
