"""The `zhongkong` command: the local world. The services have commands of their own."""

from __future__ import annotations

import sys

import typer

from zhongkong.emulator.cli import emulator
from zhongkong.runtime.commandline import run_app

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Zhongkong's local world.",
)
app.command("emulator")(emulator)


@app.callback()
def zhongkong() -> None:
    """Keep `emulator` a subcommand however many there are."""


def main() -> None:
    sys.exit(run_app(app, name="zhongkong"))
