"""Runs the Python text that it is given, as `python -c` does, where only modules are started."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    exec(sys.argv[1], {"__name__": "__main__"})
