"""The names under which a package logs, read from its source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.docs.blocks import ROOT

LEVELS = {"debug", "info", "warning", "error"}


def logged_by(package: str) -> dict[str, set[str]]:
    """Event to levels, of every line that the modules of this package write."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        for event, level in _calls(path):
            found.setdefault(event, set()).add(level)
    return found


def _calls(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        event = node.args[0]
        if not isinstance(event, ast.Constant) or not isinstance(event.value, str):
            continue
        match node.func:
            case ast.Attribute(value=ast.Name(id="log" | "_log"), attr=level) if level in LEVELS:
                yield event.value, level
            case ast.Name(id="AuditLine"):
                yield event.value, "info"
