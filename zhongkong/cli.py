"""The `zhongkong` command: the local world. The services have commands of their own."""

from __future__ import annotations

import sys

import typer

from zhongkong.emulator.cli import emulator
from zhongkong.local_world.cli import up
from zhongkong.runtime.commandline import run_app

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Zhongkong's local world.",
)
app.command("up")(up)
app.command("emulator")(emulator)


def main() -> None:
    sys.exit(run_app(app, name="zhongkong"))
