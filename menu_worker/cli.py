"""The commands of `menu-worker`. What they take and how they end; the work is in `commands`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from zhongkong.runtime.commandline import JsonOption, KeyFileOption, asking, run_app

if TYPE_CHECKING:
    from pydantic import BaseModel

    from menu_worker.settings import MenuFilesSettings, MenuWorkerSettings
    from zhongkong.runtime.lifecycle import Stop
    from zhongkong.runtime.settings import Glob, Loaded

    M = TypeVar("M", bound=BaseModel)

PROGRAM = "menu-worker"

app = typer.Typer(
    help="Makes the live menus of your WeChat Official Accounts equal to the desired ones.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
config_app = typer.Typer(help="Look at the configuration.", no_args_is_help=True)
app.add_typer(config_app, name="config")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="The configuration file; else MENU_WORKER_CONFIG, else ./menu_worker.yaml.",
        show_default=False,
    ),
]
AccountsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--account", help="Of these accounts alone; a name or a pattern.", show_default=False
    ),
]
AccountOption = Annotated[
    str | None, typer.Option("--account", help="Of this account.", show_default=False)
]
AccountArgument = Annotated[str, typer.Argument(help="The account's name.")]


@app.command()
def run(config: ConfigOption = None) -> int:
    """Keep the live menus equal to the desired ones until SIGINT or SIGTERM."""
    from zhongkong.runtime import lifecycle, logs
    from zhongkong.runtime.clock import SystemClock, SystemRandomness

    loaded = _load(config)
    settings = loaded.settings
    logs.configure("menu_worker", level=settings.log_level)
    from menu_worker.app import serve

    async def live(stop: Stop) -> None:
        await serve(loaded, stop, clock=SystemClock(), randomness=SystemRandomness())

    code = lifecycle.run(live, grace_s=settings.grace)
    logs.close()
    return code


@app.command()
def validate(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Desired files; else those of the configuration.", show_default=False),
    ] = None,
    routes: Annotated[
        Path | None,
        typer.Option(help="A gateway's configuration: also name keys that no route handles."),
    ] = None,
    config: ConfigOption = None,
) -> int:
    """Say everything that is wrong with desired files. Exits 0 when nothing is, else 1."""
    from menu_worker.commands import validate as command

    return command.validate(_load_files(config, optional=bool(files)), files or [], routes)


@app.command()
def plan(
    accounts: AccountsOption = None,
    as_json: JsonOption = False,
    out: Annotated[
        Path | None, typer.Option(help="Also keep the plan in this file.", show_default=False)
    ] = None,
    config: ConfigOption = None,
) -> int:
    """Show what an apply would do. Exits 0 for no change, 2 for changes, 1 for an error."""
    filters = _filters(accounts)
    loaded = _load(config)
    from menu_worker.commands import plan as command
    from menu_worker.commands.session import finish

    return finish(command.plan(loaded, filters, as_json=as_json, out=out))


@app.command()
def apply(
    plan_path: Annotated[
        Path | None,
        typer.Option("--plan", help="Only if all is as it was for this plan.", show_default=False),
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="However much it removes, and whoever took another menu up since. "
            "Never an empty menu, nor a stale plan.",
        ),
    ] = False,
    accounts: AccountsOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Make the desired menus live. Exits 0 when done, 1 for an error, 3 when refused."""
    filters = _filters(accounts)
    loaded = _load(config)
    from menu_worker.commands import apply as command
    from menu_worker.commands.session import finish

    return finish(command.apply(loaded, filters, plan_path=plan_path, force=force, as_json=as_json))


@app.command("import")
def import_menu(
    account: AccountOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Write here, not to the terminal.", show_default=False),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file if it is there.")
    ] = False,
    config: ConfigOption = None,
) -> int:
    """Write the live menu as a desired file."""
    loaded = _load(config)
    from menu_worker.commands import importing
    from menu_worker.commands.session import finish

    name = _one_account(loaded, account)
    return finish(importing.import_menu(loaded, name, out, overwrite=overwrite))


@app.command()
def preview(
    file: Annotated[Path, typer.Argument(help="A desired file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="menu.html, or menu.png.")],
    account: AccountOption = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Without the live menu beside it.")
    ] = False,
    config: ConfigOption = None,
) -> int:
    """Draw a desired menu as the phone shows it, beside the live one, changes marked."""
    from menu_worker.commands import preview as command
    from menu_worker.commands.session import finish

    loaded = None if offline else _load(config)
    return finish(command.preview(loaded, file, out, account))


@app.command()
def history(
    accounts: AccountsOption = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="So many of each account.")] = 20,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """List what was written, the newest first; the menus themselves with --json."""
    filters = _filters(accounts)
    loaded = _load(config)
    from menu_worker.commands import history as command
    from menu_worker.commands.session import finish

    names = [name for name in _names(loaded) if not filters or _any_fits(filters, name)]
    # One that is desired no more has its history all the same.
    names += [str(each) for each in filters if str(each) not in names and "*" not in str(each)]
    return finish(command.history(loaded, names, limit=limit, as_json=as_json))


@app.command()
def rollback(
    revision: Annotated[int, typer.Argument(min=1, help="A write of `menu-worker history`.")],
    account: AccountOption = None,
    config: ConfigOption = None,
) -> int:
    """Make live again what was live before a write. Exits 0 when done, else 1."""
    loaded = _load(config)
    from menu_worker.commands import history as command
    from menu_worker.commands.session import finish

    return finish(command.rollback(loaded, _one_account(loaded, account), revision))


@app.command()
def pause(account: AccountArgument, config: ConfigOption = None) -> int:
    """Let no worker on the store write this account's menu. A rollback still may."""
    return _switch(config, account, paused=True)


@app.command()
def resume(account: AccountArgument, config: ConfigOption = None) -> int:
    """Let workers write this account's menu again."""
    return _switch(config, account, paused=False)


@app.command()
def status(
    config: ConfigOption = None, key_file: KeyFileOption = None, as_json: JsonOption = False
) -> int:
    """Ask the running worker how its accounts are."""
    from menu_worker.running import running
    from menu_worker.status_view import show_status

    with asking():
        show_status(running(_path(config), os.environ, key_file), as_json=as_json)
    return 0


@app.command()
def schema() -> int:
    """Print the JSON Schema of desired files, for editors."""
    from menu_worker.schema import schema_text

    typer.echo(schema_text(), nl=False)
    return 0


@config_app.command("check")
def config_check(config: ConfigOption = None) -> int:
    """Say what is wrong with the configuration, or that nothing is."""
    loaded = _load(config)
    for line in (*loaded.unbuilt, *loaded.notices):
        typer.echo(line)
    typer.echo(f"{loaded.path}: good; patterns of desired files: {len(loaded.settings.menus)}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    return run_app(app, arguments, name=PROGRAM)


def _switch(config: Path | None, account: str, *, paused: bool) -> int:
    from menu_worker.commands import pausing
    from menu_worker.commands.session import finish

    name = _account_name(account)
    return finish(pausing.switch(_load(config), name, paused=paused))


def _path(config: Path | None) -> Path:
    from menu_worker.settings import CONFIG_VARIABLE, DEFAULT_CONFIG
    from zhongkong.runtime.settings import resolve_path

    return resolve_path(config, os.environ, CONFIG_VARIABLE, DEFAULT_CONFIG)


def _load(config: Path | None) -> Loaded[MenuWorkerSettings]:
    from menu_worker.settings import MenuWorkerSettings

    return _loaded(MenuWorkerSettings, _path(config))


def _load_files(config: Path | None, *, optional: bool) -> Loaded[MenuFilesSettings] | None:
    """What is known of desired files; with `optional` nothing where no configuration is."""
    from menu_worker.settings import MenuFilesSettings

    path = _path(config)
    if optional and config is None and not path.exists():
        return None
    return _loaded(MenuFilesSettings, path)


def _loaded(model: type[M], path: Path) -> Loaded[M]:
    """Read the configuration; its problems are printed and end the command with 1."""
    from menu_worker.settings import ENV_PREFIX
    from zhongkong.runtime.settings import ConfigError, load

    try:
        return load(model, path, os.environ, prefix=ENV_PREFIX)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None


def _filters(accounts: Sequence[str] | None) -> list[Glob]:
    from zhongkong.runtime.settings import Glob

    for pattern in accounts or ():
        if flaw := Glob.flaw(pattern):
            raise typer.BadParameter(f"--account {flaw}")
    return [Glob(pattern) for pattern in accounts or ()]


def _any_fits(filters: Sequence[Glob], name: str) -> bool:
    return any(each.matches(name) for each in filters)


def _names(loaded: Loaded[MenuWorkerSettings]) -> list[str]:
    from menu_worker.commands.session import desired_menus

    menus = desired_menus(loaded)
    return sorted({*menus.desired, *menus.unusable})


def _one_account(loaded: Loaded[MenuWorkerSettings], account: str | None) -> str:
    """The account that is meant, or the only one."""
    if account is not None:
        return _account_name(account)
    names = [loaded.settings.account] if loaded.settings.account else _names(loaded)
    if len(names) != 1:
        raise typer.BadParameter("say which account with --account NAME")
    return names[0]


def _account_name(account: str) -> str:
    from zhongkong.runtime.names import is_name

    if not is_name(account):
        raise typer.BadParameter("an account's name has letters, digits and . _ - (64 at most)")
    return account
