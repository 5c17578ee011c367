"""Tables that commands print. What stands in them belongs to each service."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection

_UNSEEN_WIDTH: Final = 200
"""Where no terminal gives a width: what is piped on should have a row on a line."""


def printer(*, as_json: bool = False) -> Console:
    """Prints to standard output; a JSON document in lines as long as they are."""
    return Console(soft_wrap=as_json, width=None if sys.stdout.isatty() else _UNSEEN_WIDTH)


def table(*headings: str, title: str | None = None, wrapped: Collection[str] = ()) -> Table:
    """An empty table. Only the columns of `wrapped` are broken where the terminal is narrow."""
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in headings:
        made.add_column(heading, overflow="fold", no_wrap=heading not in wrapped)
    return made
