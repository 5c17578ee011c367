"""How commands print: results on standard output, what is wrong on standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
import typer
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text

    from menu_worker.commands.selection import Selection


def show(lines: Iterable[Text]) -> None:
    """Whole lines, coloured where a terminal shows them."""
    console = Console(highlight=False)
    for line in lines:
        console.print(line, soft_wrap=True)


def show_json(document: object) -> None:
    """The document alone."""
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def complain(selection: Selection) -> None:
    """Every line about files that can't be worked on."""
    for line in (*selection.invalid, *selection.absent):
        typer.echo(harmless(line), err=True)


def harmless(text: str) -> str:
    """Nothing that would steer the terminal."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in text)
