"""What can keep a process from starting, or from running at full speed.

The order of start and stop itself is in lifecycle.py.
"""

from __future__ import annotations

import importlib.util

_ACCELERATORS = {
    "hiredis": "hiredis",
    "aiohttp's parser": "aiohttp._http_parser",
    "aiohttp's writer": "aiohttp._http_writer",
}


class CannotStart(Exception):
    """Something the operator must change before this process can run.

    `lifecycle.run` prints the message as one line, without a traceback, and returns 1.
    """


def missing_accelerators() -> list[str]:
    """Return the C extensions that speed depends on and that are not installed."""
    return [name for name, module in _ACCELERATORS.items() if not _installed(module)]


def _installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
