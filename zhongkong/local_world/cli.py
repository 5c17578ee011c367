"""`zhongkong up`: the command line of the local world."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhongkong.local_world.plan import DEFAULT_BASE, LARGEST_BASE

if TYPE_CHECKING:
    from zhongkong.runtime.lifecycle import Stop


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
            help="Where settings, keys and stores lie; var/local/PORT_BASE by default.",
            show_default=False,
        ),
    ] = None,
) -> int:
    """The local world: WeChat emulated, and the services that use it. Ctrl-C ends it."""
    import sys

    from zhongkong.local_world.world import ECHO_S, GRACE_S, live
    from zhongkong.runtime import logs
    from zhongkong.runtime.clock import SystemClock, SystemRandomness
    from zhongkong.runtime.lifecycle import run

    home = folder or Path("var", "local", str(port_base))
    # Its parts have logs; of the world itself only a defect is worth a line.
    logs.configure("local_world", stream=sys.stderr, level="error")

    async def main(stop: Stop) -> None:
        await live(port_base, home, stop, clock=SystemClock(), randomness=SystemRandomness())

    return run(main, grace_s=GRACE_S, echo_s=ECHO_S)
