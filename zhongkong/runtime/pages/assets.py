"""Files that are shipped inside of packages: templates, the style sheet, the script."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def asset(name: str) -> bytes:
    """A file that lies beside this module. Blocking."""
    return files(__package__).joinpath(name).read_bytes()


def reader(package: str) -> Callable[[str], str | None]:
    """Reads text files of a package; None for one that isn't there."""
    folder = files(package)

    def read(name: str) -> str | None:
        found = folder.joinpath(name)
        return found.read_text("utf-8") if found.is_file() else None

    return read
