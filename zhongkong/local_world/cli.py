"""`zhongkong up`: the command line of the local world."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhongkong.local_world.plan import DEFAULT_BASE, LARGEST_BASE, REAL_URL

if TYPE_CHECKING:
    from zhongkong.runtime.lifecycle import Stop

_ORIGIN = re.compile(r"https?://[^\s\"'\\]+")


def up(
    port_base: Annotated[
        int,
        typer.Option(
            min=1,
            max=LARGEST_BASE,
            help="First port; services take those after it, and those 1000 above for operators.",
        ),
    ] = DEFAULT_BASE,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where settings, keys and stores lie; var/local/PORT_BASE by default, "
            "var/local/real-PORT_BASE for the real WeChat.",
            show_default=False,
        ),
    ] = None,
    real: Annotated[
        bool | None,
        typer.Option(
            "--real/--emulated",
            help="The real WeChat, with WECHAT_APPID and WECHAT_SECRET from the environment; "
            "by default when these are set.",
            show_default=False,
        ),
    ] = None,
    wechat_url: Annotated[
        str | None,
        typer.Option(help=f"With --real: its origin, {REAL_URL} by default.", show_default=False),
    ] = None,
    plaintext: Annotated[
        bool,
        typer.Option(
            "--plaintext",
            help="With --real: callbacks come in clear, as those of test accounts do.",
        ),
    ] = False,
) -> int:
    """The local world: WeChat emulated, and the services that use it. Ctrl-C ends it."""
    import os
    import sys

    from zhongkong.local_world.folder import default
    from zhongkong.local_world.real import real_wechat
    from zhongkong.local_world.world import ECHO_S, GRACE_S, live
    from zhongkong.runtime import logs
    from zhongkong.runtime.clock import SystemClock, SystemRandomness
    from zhongkong.runtime.lifecycle import run
    from zhongkong.runtime.startup import CannotStart

    if wechat_url is not None and not _ORIGIN.fullmatch(wechat_url):
        raise typer.BadParameter(f"write an origin, as {REAL_URL}", param_hint="--wechat-url")
    try:
        platform = real_wechat(
            os.environ, wanted=real, url=wechat_url or REAL_URL, plaintext=plaintext
        )
    except CannotStart as problem:
        typer.echo(str(problem), err=True)
        return 1
    if platform is None and (wechat_url or plaintext):
        raise typer.BadParameter("is for --real", param_hint="--wechat-url, --plaintext")
    home = folder or default(port_base, emulated=platform is None)
    # Its parts have logs; of the world itself only a defect is worth a line.
    logs.configure("local_world", stream=sys.stderr, level="error")

    async def main(stop: Stop) -> None:
        await live(
            port_base, home, stop, clock=SystemClock(), randomness=SystemRandomness(), real=platform
        )

    return run(main, grace_s=GRACE_S, echo_s=ECHO_S)
