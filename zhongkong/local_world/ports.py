"""Are the ports free, whose are they if not, and which base would do. Blocks for moments."""

from __future__ import annotations

import errno
import socket
from typing import Final

from zhongkong.local_world import plan
from zhongkong.runtime.port_owner import port_owner
from zhongkong.runtime.startup import CannotStart

_STEP: Final = 100
_CANDIDATES: Final = 50


def require_free(base: int, *, emulated: bool = True) -> None:
    """Raises CannotStart, which names the port, its owner and what to type."""
    for listener, port in plan.ports(base, emulated=emulated).items():
        trouble = _trouble(port)
        if trouble == errno.EADDRINUSE:
            owner = port_owner(port)
            by = f"by {owner}" if owner else "by another process"
            raise CannotStart(
                f"port {port} (of the {listener}) is taken {by}; stop it, or {advice(base)}"
            )
        if trouble == errno.EACCES:
            raise CannotStart(f"port {port} is below 1024, which is for root; {advice(base)}")


def advice(base: int, *, elsewhere: bool = False) -> str:
    """How to start a world that has all its ports for itself; `elsewhere`: and another folder."""
    other = _free_base(base)
    command = f"zhongkong up --port-base {other}"
    if elsewhere:
        return f"take other ports and another folder: {command} --folder FOLDER"
    return f"take other ports: make run PORT_BASE={other} ({command})"


def _free_base(base: int) -> int:
    """The first free one in steps of 100, from the default on where the given one is too low."""
    lowest = max(base, 1024 + _STEP)
    for number in range(1, _CANDIDATES + 1):
        candidate = lowest + number * _STEP
        if candidate > plan.LARGEST_BASE:
            candidate -= plan.LARGEST_BASE - plan.DEFAULT_BASE
        if all(_trouble(port) is None for port in plan.ports(candidate).values()):
            return candidate
    return lowest + _STEP


def _trouble(port: int) -> int | None:
    """The errno of listening there; None when it works."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((plan.HOST, port))
        except OSError as error:
            return error.errno
    return None
