"""The error for bodies that are no message, and the bounds that keep reading them cheap. PURE."""

from __future__ import annotations

from typing import Final

MAX_BODY_BYTES: Final = 256 * 1024
"""The longest body that is read. WeChat's own are a few kilobytes."""

MAX_DEPTH: Final = 16
"""How deep elements or objects may lie inside each other. WeChat's deepest event has five."""

MAX_NODES: Final = 2000
"""Elements, or JSON values, of one body."""


class PushMalformed(ValueError):
    """A body that is no message. Says what is wrong in a few words, and shows nothing of it."""
