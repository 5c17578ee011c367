"""Which files of the repository get into the image's build: those that .dockerignore lets in."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def let_in(names: Iterable[str], ignore: str) -> list[str]:
    """PURE: those of the paths (with slashes) that a .dockerignore with this text leaves.

    The last pattern that matches a path or a folder above it decides, as Docker does it.
    """
    rules = [
        (not line.startswith("!"), re.compile(_expression(line.removeprefix("!").strip("/"))))
        for line in (raw.strip() for raw in ignore.splitlines())
        if line and not line.startswith("#")
    ]
    return [name for name in names if not _ignored(name, rules)]


def make_context(source: Path, files: Iterable[Path], target: Path) -> None:
    """Copy into `target` what of the repository's files .dockerignore lets in."""
    ignore = (source / ".dockerignore").read_text(encoding="utf-8")
    names = [path.relative_to(source).as_posix() for path in files]
    for name in let_in(names, ignore):
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, copy)
        copy.chmod(0o644)


def _ignored(name: str, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    parts = name.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    ignored = False
    for ignores, pattern in rules:
        if any(pattern.fullmatch(each) for each in above):
            ignored = ignores
    return ignored


def _expression(pattern: str) -> str:
    out = ""
    for piece in re.findall(r"\*\*/|\*\*|\*|\?|[^*?]+", pattern):
        out += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(
            piece, re.escape(piece)
        )
    return out
