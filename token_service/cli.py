"""The commands of `token-service`. What they print and how they end; the work is done elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhongkong.runtime.commandline import JsonOption, KeyFileOption, asking, run_app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from token_service.settings import TokenServiceSettings
    from zhongkong.runtime.asking import Asker
    from zhongkong.runtime.lifecycle import Stop
    from zhongkong.runtime.settings import Loaded

PROGRAM = "token-service"
COPY_TO_VARIABLE = "TOKEN_SERVICE_COPY_TO"

app = typer.Typer(
    help="Owns the access_token of your WeChat Official Accounts and hands it out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
config_app = typer.Typer(help="Look at the configuration.", no_args_is_help=True)
keys_app = typer.Typer(help="Make keys for clients.", no_args_is_help=True)
clients_app = typer.Typer(help="Look after the clients.", no_args_is_help=True)
store_app = typer.Typer(help="Move to another store.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(keys_app, name="keys")
app.add_typer(clients_app, name="clients")
app.add_typer(store_app, name="store")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="The configuration file; else TOKEN_SERVICE_CONFIG, else ./token_service.yaml.",
        show_default=False,
    ),
]


@app.command()
def run(config: ConfigOption = None) -> int:
    """Run the service until SIGINT or SIGTERM."""
    from zhongkong.runtime import lifecycle, logs
    from zhongkong.runtime.clock import SystemClock, SystemRandomness

    loaded = _load(config)
    if loaded is None:
        return 1
    settings = loaded.settings
    logs.configure("token_service", level=settings.log_level)
    from token_service.app import serve

    async def live(stop: Stop) -> None:
        await serve(loaded, stop, clock=SystemClock(), randomness=SystemRandomness())

    code = lifecycle.run(live, grace_s=settings.grace)
    logs.close()
    return code


@app.command()
def status(
    config: ConfigOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> int:
    """Ask the running service how its accounts are."""
    from token_service.status_view import show_status

    with asking():
        show_status(_running(config, key_file), as_json=as_json)
    return 0


@config_app.command("check")
def config_check(config: ConfigOption = None) -> int:
    """Say what is wrong with the configuration, or that nothing is."""
    from token_service.configured import warnings

    loaded = _load(config)
    if loaded is None:
        return 1
    for line in loaded.unbuilt:
        typer.echo(line)
    for line in warnings(loaded.settings):
        typer.echo(f"{loaded.path}: {line}")
    accounts, clients = len(loaded.settings.accounts), len(loaded.settings.clients)
    typer.echo(f"{loaded.path}: good; accounts: {accounts}, clients: {clients}")
    return 0


@keys_app.command("new")
def keys_new(
    name: Annotated[str, typer.Argument(help="The client's name, as it will stand in the log.")],
) -> int:
    """Make a key and print it with the entry for the configuration. It is stored nowhere."""
    from token_service.keys import describe_key
    from zhongkong.runtime.clock import SystemRandomness
    from zhongkong.runtime.names import is_name

    if not is_name(name):
        raise typer.BadParameter("a name has letters, digits and . _ - (64 at most)")
    typer.echo(describe_key(name, SystemRandomness()))
    return 0


@clients_app.command("revoke")
def clients_revoke(
    name: Annotated[str, typer.Argument(help="The client's name in the configuration.")],
    config: ConfigOption = None,
    key_file: KeyFileOption = None,
) -> int:
    """Refuse a client's key, and all it was given, on every replica within a second."""
    from token_service.running import revoke
    from zhongkong.runtime.names import is_name

    if not is_name(name):
        raise typer.BadParameter("a name has letters, digits and . _ - (64 at most)")
    with asking():
        revoke(_running(config, key_file), name)
    typer.echo(f"{name} is revoked. To let it in again, configure another key for it.")
    return 0


@store_app.command("copy")
def store_copy(
    to: Annotated[
        str,
        typer.Option(
            "--to",
            envvar=COPY_TO_VARIABLE,
            show_envvar=False,
            help=f"The other store's address; else {COPY_TO_VARIABLE}, which others can't see.",
        ),
    ],
    keys_out: Annotated[
        Path | None,
        typer.Option(help="New file for the keys of opaque tokens.", show_default=False),
    ] = None,
    config: ConfigOption = None,
    key_file: KeyFileOption = None,
) -> int:
    """Copy the running service's store; from then on it hands out, but fetches nothing."""
    from token_service import store_commands
    from token_service.keys_out import NoKeysOut, keys_to_hand_on

    with asking(NoKeysOut):
        keys = None if keys_out is None else (keys_to_hand_on(_path(config), os.environ), keys_out)
        lines = store_commands.copy(_running(config, key_file), to, keys)
        typer.echo("\n".join(lines))
    return 0


@store_app.command("thaw")
def store_thaw(config: ConfigOption = None, key_file: KeyFileOption = None) -> int:
    """Take a copied store back into use: the running service fetches tokens again."""
    from token_service import store_commands

    with asking():
        typer.echo("\n".join(store_commands.thaw(_running(config, key_file))))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    return run_app(app, arguments, name=PROGRAM)


def _running(config: Path | None, key_file: Path | None) -> Asker:
    """The running service."""
    from token_service.running import running

    return running(_path(config), os.environ, key_file)


def _path(config: Path | None) -> Path:
    from token_service.settings import CONFIG_VARIABLE, DEFAULT_CONFIG
    from zhongkong.runtime.settings import resolve_path

    return resolve_path(config, os.environ, CONFIG_VARIABLE, DEFAULT_CONFIG)


def _load(config: Path | None) -> Loaded[TokenServiceSettings] | None:
    """Read the configuration; None after its problems were printed."""
    from token_service.settings import ENV_PREFIX, TokenServiceSettings
    from zhongkong.runtime.settings import ConfigError, load

    try:
        return load(TokenServiceSettings, _path(config), os.environ, prefix=ENV_PREFIX)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        return None
