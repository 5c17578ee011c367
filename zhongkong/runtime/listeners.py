"""The ports of a process: opened together, closed in order, hard to wear out.

Each serves one aiohttp app, with errors as problem+json (problems.py). What the apps answer, and
which of them is internal, belongs to the services.
"""

from __future__ import annotations

import asyncio
import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.port_owner import port_owner
from zhongkong.runtime.problems import guarded, plain, request_id, unreadable
from zhongkong.runtime.startup import CannotStart

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

BACKLOG = 1024
_LIMITS: dict[str, Any] = {
    "access_log": None,
    "debug": False,
    "keepalive_timeout": 75.0,
    "lingering_time": 2.0,
    "max_field_size": 8190,
    "max_headers": 64,
    "max_line_size": 8190,
    "tcp_keepalive": True,
}
_LAST_GRACE_S = 0.5

log = get_logger()


class PortInUse(CannotStart):
    """Another process listens there; the message names it where the system tells."""


class CannotListen(CannotStart):
    """The address can't be listened on: not ours, not allowed, or not an address."""


@dataclass(frozen=True, slots=True)
class Listener:
    """One app on one address. Port 0 takes a free port; `Listeners.port` tells which.

    `name` is for logs and `port()`, `remedy` ends the message when the port is taken. With
    `cancel_abandoned`, a handler is cancelled when its client hangs up, so that nobody's long
    poll holds a place; what must be finished belongs to a TaskOwner then.
    """

    app: web.Application
    host: str
    port: int
    name: str
    remedy: str = ""
    cancel_abandoned: bool = True


class Listeners:
    """All ports of the process; an async context manager, or `open` and `close`."""

    def __init__(self) -> None:
        """Use `open`."""
        self._open: list[tuple[Listener, _Runner]] = []
        self._ports: dict[str, int] = {}

    @classmethod
    async def open(cls, listeners: Sequence[Listener], *, grace_s: float = 7.0) -> Self:
        """Listen everywhere or nowhere. Raises PortInUse or CannotListen.

        `grace_s` bounds `close`: how long requests that were accepted may take to finish.
        """
        opened = cls()
        try:
            for number, listener in enumerate(listeners):
                last = number == len(listeners) - 1 and number > 0
                await opened._start(listener, _LAST_GRACE_S if last else grace_s - _LAST_GRACE_S)
        except BaseException:
            await opened.close()
            raise
        return opened

    def port(self, name: str) -> int:
        """Return the port that the listener of that name got."""
        return self._ports[name]

    async def close(self) -> None:
        """Accept nothing more, end idle connections, let accepted requests finish.

        One listener after the other, in the order of `open`: put the internal one last, so that
        it tells of the draining to the end. May be repeated.
        """
        while self._open:
            listener, runner = self._open.pop(0)
            await runner.cleanup()
            log.info("listener_closed", name=listener.name, port=self._ports.get(listener.name))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _start(self, listener: Listener, grace_s: float) -> None:
        # aiohttp waits that long twice: for handlers to finish, then for their tasks to end.
        runner = _Runner(
            listener.app,
            shutdown_timeout=grace_s / 2,
            handler_cancellation=listener.cancel_abandoned,
        )
        self._open.append((listener, runner))
        await runner.setup()
        site = web.TCPSite(runner, listener.host, listener.port, backlog=BACKLOG, reuse_port=False)
        try:
            await site.start()
        except OSError as error:
            raise await _refusal(listener, error) from error
        self._ports[listener.name] = site.port
        log.info("listener_opened", name=listener.name, host=listener.host, port=site.port)


async def _refusal(listener: Listener, error: OSError) -> CannotStart:
    where = f"{listener.host}:{listener.port} (the {listener.name} listener)"
    remedy = f"; {listener.remedy}" if listener.remedy else ""
    if error.errno == errno.EADDRINUSE:
        owner = await asyncio.to_thread(port_owner, listener.port)
        by = f"by {owner}" if owner else "by another process"
        return PortInUse(f"{where} is taken {by}; stop it, or listen on another port{remedy}")
    if error.errno == errno.EACCES:
        return CannotListen(f"{where}: ports below 1024 are for root; use a higher one{remedy}")
    return CannotListen(
        f"{where} is no address of this machine ({error.strerror or error}); "
        f"127.0.0.1 is for this machine alone, 0.0.0.0 for all its networks{remedy}"
    )


class _Protocol(RequestHandler):
    """aiohttp's connection, with its last-resort error pages replaced."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes the bytes that were sent
    ) -> web.StreamResponse:
        """Answer what no handler could: bytes that aren't HTTP, or an error of aiohttp itself."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was under way")
        if status == 400:
            return unreadable(request, exc)
        log.error("request_failed", request_id=request_id(request), status=status, exc_info=exc)
        response = plain(status).response(request_id(request))
        response.force_close()
        return response


class _Server(web.Server):
    def __init__(self, like: web.Server, limits: dict[str, Any]) -> None:
        super().__init__(
            guarded(like.request_handler),  # type: ignore[arg-type]
            request_factory=like.request_factory,
            handler_cancellation=like.handler_cancellation,
            **limits,
        )
        self._limits = limits

    def __call__(self) -> RequestHandler:
        return _Protocol(self, loop=asyncio.get_running_loop(), **self._limits)


class _Runner(web.AppRunner):
    __slots__ = ()

    async def _make_server(self) -> web.Server:
        return _Server(await super()._make_server(), _LIMITS)
