"""`zhongkong emulator`: the emulator in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zhongkong.emulator.world import World
    from zhongkong.runtime.lifecycle import Stop

GRACE_S = 2.0


def emulator(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    config: Annotated[
        Path | None, typer.Option(help="YAML file with accounts, parameters and faults.")
    ] = None,
    control_from_anywhere: Annotated[
        bool,
        typer.Option(
            "--control-from-anywhere",
            help="Answer control calls from other machines too. They show every secret.",
        ),
    ] = False,
) -> int:
    """WeChat itself, on your machine: token endpoints, faults, a clock and a ledger."""
    import os
    import sys

    from zhongkong.emulator.settings import read_setup
    from zhongkong.emulator.world import World
    from zhongkong.runtime import logs
    from zhongkong.runtime.clock import SystemClock, SystemRandomness
    from zhongkong.runtime.lifecycle import run
    from zhongkong.runtime.settings import ConfigError

    try:
        setup = read_setup(config, os.environ)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        return 1
    logs.configure("emulator", stream=sys.stderr)
    world = World(setup, SystemClock(), seed=int(SystemRandomness().token(8), 16))

    async def live(stop: Stop) -> None:
        await _serve(world, host, port, stop, control_from_anywhere=control_from_anywhere)

    return run(live, grace_s=GRACE_S)


async def _serve(
    world: World, host: str, port: int, stop: Stop, *, control_from_anywhere: bool
) -> None:
    import gc

    from zhongkong.emulator.server import make_app
    from zhongkong.runtime.listeners import Listener, Listeners

    # The books grow large and hold no cycles: looking through all of them would stop the loop for
    # tenths of a second under load.
    gc.set_threshold(10_000, 50, 1_000)
    app = make_app(world, control_from_anywhere=control_from_anywhere)
    listener = Listener(
        app,
        host,
        port,
        name="emulator",
        remedy=f"try: zhongkong emulator --port {port % 65535 + 1}",
        # WeChat finishes what it began, whether or not the caller still listens.
        cancel_abandoned=False,
    )
    async with await Listeners.open([listener], grace_s=GRACE_S / 2) as listeners:
        typer.echo(_welcome(world, host, listeners.port("emulator")))
        await stop.wait()


def _welcome(world: World, host: str, port: int) -> str:
    shown = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared only
    base = f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
    lines = [f"WeChat, emulated, on {base}", ""]
    for account in world.model.accounts.values():
        query = f"grant_type=client_credential&appid={account.appid}&secret={account.secret}"
        lines.append(f"  appid {account.appid}  secret {account.secret}  ({account.kind.value})")
        lines.append(f"  curl '{base}/cgi-bin/token?{query}'")
        lines.append("")
    lines.append(f"A phone: open {base}/ in a browser")
    lines.append(f"Control calls: curl {base}/_emulator")
    return "\n".join(lines)
