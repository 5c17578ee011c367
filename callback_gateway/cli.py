"""The commands of `callback-gateway`. What they print and how they end; the work is elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callback_gateway import cli_inputs as inputs
from zhongkong.runtime.commandline import JsonOption, KeyFileOption, asking, run_app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from callback_gateway.settings import GatewaySettings
    from zhongkong.runtime.asking import Asker
    from zhongkong.runtime.lifecycle import Stop
    from zhongkong.runtime.settings import Loaded

PROGRAM = "callback-gateway"

app = typer.Typer(
    help="Takes WeChat's callbacks, answers in time, and delivers every event.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
config_app = typer.Typer(help="Look at the configuration.", no_args_is_help=True)
routes_app = typer.Typer(help="Look at the routes.", no_args_is_help=True)
letters_app = typer.Typer(help="Look after what could not be delivered.", no_args_is_help=True)
targets_app = typer.Typer(help="Look after the targets.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(routes_app, name="routes")
app.add_typer(letters_app, name="dead-letters")
app.add_typer(targets_app, name="targets")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="The configuration file; else CALLBACK_GATEWAY_CONFIG, else ./callback_gateway.yaml.",
        show_default=False,
    ),
]
AccountOption = Annotated[str | None, typer.Option("--account", help="Of this account.")]
TargetOption = Annotated[
    str | None, typer.Option("--target", help="To this target; - for events nobody could read.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Every dead letter there is.")]
IdsArgument = Annotated[
    list[str] | None, typer.Argument(help="Ids of dead letters.", show_default=False)
]


@app.command()
def run(config: ConfigOption = None) -> int:
    """Run the gateway until SIGINT or SIGTERM."""
    from zhongkong.runtime import lifecycle, logs
    from zhongkong.runtime.clock import SystemClock, SystemRandomness

    loaded = _load(config)
    if loaded is None:
        return 1
    settings = loaded.settings
    logs.configure("callback_gateway", level=settings.log_level)
    from callback_gateway.app import serve

    async def live(stop: Stop) -> None:
        await serve(loaded, stop, clock=SystemClock(), randomness=SystemRandomness())

    code = lifecycle.run(live, grace_s=settings.grace)
    logs.close()
    return code


@app.command()
def status(
    config: ConfigOption = None, key_file: KeyFileOption = None, as_json: JsonOption = False
) -> int:
    """Ask the running gateway how its accounts and targets are."""
    from callback_gateway.status_view import show_status

    with asking():
        show_status(_running(config, key_file), as_json=as_json)
    return 0


@config_app.command("check")
def config_check(config: ConfigOption = None) -> int:
    """Say what is wrong with the configuration, or that nothing is."""
    loaded = _load(config)
    if loaded is None:
        return 1
    for line in (*loaded.unbuilt, *loaded.notices):
        typer.echo(line)
    settings = loaded.settings
    counts = {
        "accounts": len(settings.accounts),
        "targets": len(settings.targets),
        "routes": len(settings.routes),
    }
    told = ", ".join(f"{name}: {count}" for name, count in counts.items())
    typer.echo(f"{loaded.path}: good; {told}")
    return 0


@routes_app.command("test")
def routes_test(
    event: Annotated[
        str,
        typer.Argument(
            help="File with the event, or - for standard input: a delivered document, its data, "
            "or WeChat's XML or JSON."
        ),
    ],
    account: AccountOption = None,
    config: ConfigOption = None,
) -> int:
    """Say who would answer an event, who would get a copy, and why the other routes would not."""
    from callback_gateway import configured
    from callback_gateway.event_file import NoEvent, read_event
    from callback_gateway.routes import facts_of
    from callback_gateway.routes_view import tell

    loaded = _load(config)
    if loaded is None:
        return 1
    rules = configured.rules(loaded)
    try:
        facts = facts_of(read_event(inputs.content(event), rules.accounts, account))
    except (NoEvent, OSError) as trouble:
        typer.echo(f"{event}: {getattr(trouble, 'strerror', None) or trouble}", err=True)
        return 1
    for line in tell(rules.routes, facts):
        typer.echo(_harmless(line))
    return 0


@app.command()
def send(  # noqa: PLR0913, PLR0917 - as many options as a callback has parts
    account: AccountOption = None,
    type_: Annotated[str, typer.Option("--type", help="MsgType, as WeChat writes it.")] = "text",
    content: Annotated[str | None, typer.Option(help="Content of a text.")] = None,
    event: Annotated[str | None, typer.Option(help="Event, as CLICK; the type is event.")] = None,
    key: Annotated[str | None, typer.Option(help="EventKey of an event.")] = None,
    field: Annotated[
        list[str] | None, typer.Option(help="Any other field, as MediaId=abc.", show_default=False)
    ] = None,
    user: Annotated[str | None, typer.Option(help="The openid that it comes from.")] = None,
    url: Annotated[
        str | None,
        typer.Option(help="The gateway's address; else `listen` of the configuration."),
    ] = None,
    config: ConfigOption = None,
) -> int:
    """Send a callback to the running gateway as WeChat would, and print what it answers."""
    from callback_gateway import configured
    from callback_gateway.sample_callback import DEFAULT_USER, fields_of
    from callback_gateway.sending import send as send_callback
    from zhongkong.runtime.asking import NotReached, reachable
    from zhongkong.runtime.clock import SystemClock, SystemRandomness
    from zhongkong.runtime.settings import HostPort
    from zhongkong.wechat.push import PushMalformed

    given = inputs.fields(type_, content, event, key, field or [])
    loaded = _load(config)
    if loaded is None:
        return 1
    settings = loaded.settings
    sender = inputs.account(configured.rules(loaded).accounts, account)
    clock, randomness = SystemClock(), SystemRandomness()
    if "Event" not in given:
        given["MsgId"] = str(int(randomness.token(7), 16))
    fields = fields_of(sender, user or DEFAULT_USER, int(clock.now()), given)
    here = HostPort(reachable(settings.listen.host), settings.listen.port)
    try:
        outcome = send_callback(
            sender,
            fields,
            url or f"http://{here}",
            tries=settings.tries,
            clock=clock,
            randomness=randomness,
            heard=lambda line: typer.echo(line, err=True),
        )
    except (NotReached, PushMalformed) as trouble:
        typer.echo(str(trouble), err=True)
        return 1
    typer.echo(f"status {outcome.status}, try {outcome.tries} of {settings.tries}")
    typer.echo(_harmless(outcome.flaw or (outcome.said or b"success").decode("utf-8", "replace")))
    return 0 if outcome.good else 1


@letters_app.command("list")
def letters_list(
    account: AccountOption = None,
    target: TargetOption = None,
    after: Annotated[str | None, typer.Option(help="Go on after this page.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="So many.")] = 50,
    config: ConfigOption = None,
    key_file: KeyFileOption = None,
    as_json: JsonOption = False,
) -> int:
    """List dead letters, the oldest first."""
    from callback_gateway.letters_view import show_page

    wanted = {"account": account, "target": target, "after": after, "limit": limit}
    with asking():
        show_page(_running(config, key_file), wanted, as_json=as_json)
    return 0


@letters_app.command("show")
def letters_show(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The dead letter's id.")],
    config: ConfigOption = None,
    key_file: KeyFileOption = None,
) -> int:
    """Show one dead letter; its event to the holder of the admin key alone."""
    from callback_gateway.letters_view import show_letter

    with asking():
        show_letter(_running(config, key_file), identity)
    return 0


@letters_app.command("redrive")
def letters_redrive(
    ids: IdsArgument = None,
    account: AccountOption = None,
    target: TargetOption = None,
    every: AllOption = False,
    config: ConfigOption = None,
    key_file: KeyFileOption = None,
) -> int:
    """Deliver dead letters again."""
    from callback_gateway.letters_view import redrive

    selection = inputs.selection(ids or [], account, target, every=every)
    with asking():
        typer.echo(f"redriven: {redrive(_running(config, key_file), selection)}")
    return 0


@letters_app.command("drop")
def letters_drop(
    ids: IdsArgument = None,
    account: AccountOption = None,
    target: TargetOption = None,
    every: AllOption = False,
    config: ConfigOption = None,
    key_file: KeyFileOption = None,
) -> int:
    """Delete dead letters for good, without asking."""
    from callback_gateway.letters_view import drop

    selection = inputs.selection(ids or [], account, target, every=every)
    with asking():
        typer.echo(f"dropped: {drop(_running(config, key_file), selection)}")
    return 0


@targets_app.command("enable")
def targets_enable(
    name: Annotated[str, typer.Argument(help="The target's name in the configuration.")],
    config: ConfigOption = None,
    key_file: KeyFileOption = None,
) -> int:
    """Let a target that answered 410 have deliveries again."""
    from callback_gateway.letters_view import enable

    with asking():
        if enable(_running(config, key_file), name):
            typer.echo(f"{name} is enabled; `dead-letters redrive --target {name}` sends the rest")
        else:
            typer.echo(f"{name} was not disabled")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    return run_app(app, arguments, name=PROGRAM)


def _running(config: Path | None, key_file: Path | None) -> Asker:
    """The running gateway."""
    from callback_gateway.running import running

    return running(_path(config), os.environ, key_file)


def _path(config: Path | None) -> Path:
    from callback_gateway.settings import CONFIG_VARIABLE, DEFAULT_CONFIG
    from zhongkong.runtime.settings import resolve_path

    return resolve_path(config, os.environ, CONFIG_VARIABLE, DEFAULT_CONFIG)


def _load(config: Path | None) -> Loaded[GatewaySettings] | None:
    """Read the configuration; None after its problems were printed."""
    from callback_gateway.settings import ENV_PREFIX, GatewaySettings
    from zhongkong.runtime.settings import ConfigError, load

    try:
        return load(GatewaySettings, _path(config), os.environ, prefix=ENV_PREFIX)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        return None


def _harmless(text: str) -> str:
    """Nothing that would steer the terminal."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in text)
