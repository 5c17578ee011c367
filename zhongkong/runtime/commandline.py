"""How our commands end, and the options that all services' have.

An end is the exit code, and the line that is printed when a command was misused.

What the commands do belongs to each service's cli.py.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast

import typer
from typer.main import get_command

from zhongkong.runtime.standard_streams import open_standard_streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KeyFileOption = Annotated[
    Path | None,
    typer.Option(help="File with the admin key; else ZHONGKONG_ADMIN_KEY.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the document itself.")]

EXIT_USAGE: Final = 64
"""A command was misused. Never 2, typer's own: on some commands of ours that means "changes"."""

EXIT_FAILED: Final = 1
EXIT_ABORTED: Final = 1

# typer carries its own copy of click from some version on; its public error leads to the right one.
_UsageError: Final = cast("type[typer.BadParameter]", typer.BadParameter.__base__)
_ClickError: Final = cast("type[typer.BadParameter]", _UsageError.__base__)


def run_app(app: typer.Typer, arguments: Sequence[str] | None = None, *, name: str) -> int:
    """Run one command line and return its exit code; nothing else ends the process.

    `arguments` are those of the process by default, `name` is what help and errors call the
    program. A command says its code by returning an int or raising typer.Exit; 0 otherwise.
    """
    open_standard_streams()
    command = get_command(app)
    given = None if arguments is None else list(arguments)
    try:
        with _garbage_left():
            outcome = command.main(given, prog_name=name, standalone_mode=False)
    except _UsageError as misuse:
        misuse.show()
        return EXIT_USAGE
    except _ClickError as failure:
        failure.show()
        return failure.exit_code
    except typer.Abort:
        typer.echo("Aborted.", err=True)
        return EXIT_ABORTED
    return outcome if isinstance(outcome, int) else 0


@contextmanager
def asking(*others: type[Exception]) -> Iterator[None]:
    """Ask the running service inside; what comes between ends the command: one line, exit code 1.

    That is its configuration, the way to it, what it says, and what of `others` is raised.
    """
    from zhongkong.runtime.asking import NotReached  # noqa: PLC0415 - --help answers at once
    from zhongkong.runtime.settings import ConfigError  # noqa: PLC0415

    ends: tuple[type[Exception], ...] = (ConfigError, NotReached, *others)
    try:
        yield
    except ends as trouble:
        typer.echo(str(trouble), err=True)
        raise typer.Exit(EXIT_FAILED) from None


@contextmanager
def _garbage_left() -> Iterator[None]:
    """Look for no garbage: what a command imports stays, and looking takes a tenth of its start.

    What goes on for longer collects again (lifecycle.run).
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
