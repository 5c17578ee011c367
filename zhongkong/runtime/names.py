"""PURE: what accounts, clients, targets and the like may be called."""

from __future__ import annotations

import re
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def is_name(text: str) -> bool:
    """Whether something of ours may be called so: it is harmless in a path, a label and a log."""
    return _NAME.fullmatch(text) is not None
