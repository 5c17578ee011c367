"""From the first turn of the loop to the exit code: the loop, the signals, the way out.

`run` starts a service's main coroutine on uvloop and hands it a `Stop`. A service leaves in this
order: readiness goes false (`Stop.on_request`), the listeners stop accepting and finish what they
accepted (listeners.py), background tasks end (tasks.py), stores close, exit code 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn

from zhongkong.runtime import logs
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.startup import CannotStart, missing_accelerators

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

GRACE_S = 8.0
_CANCEL_S = 1.0
_FLUSH_S = 0.5
_UNWIND_S = 2.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)

log = get_logger()


class Stop:
    """The wish to end, heard everywhere at once. Made and used on the loop's thread."""

    def __init__(self, *, grace_s: float = GRACE_S) -> None:
        """`grace_s`: seconds from the request to the moment when main is cut off."""
        self._event = asyncio.Event()
        self.grace_s = grace_s
        self._deadline: float | None = None
        self._callbacks: list[Callable[[], None]] = []
        self.reason = ""

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    @property
    def remaining_s(self) -> float:
        """Seconds left for an orderly end; the whole grace before the request, never negative."""
        if self._deadline is None:
            return self.grace_s
        return max(0.0, self._deadline - asyncio.get_running_loop().time())

    async def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the request, at most `timeout_s`; True when it came. A sleep that ends early."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        return self.requested

    def on_request(self, callback: Callable[[], None]) -> None:
        """Have `callback` called at the moment of the request, or now if that has passed.

        It must not block; readiness, long polls and streams end through it.
        """
        if self.requested:
            callback()
        else:
            self._callbacks.append(callback)

    def request(self, reason: str) -> None:
        """Ask for the end. Only the first call counts."""
        if self.requested:
            return
        self.reason = reason
        self._deadline = asyncio.get_running_loop().time() + self.grace_s
        self._event.set()
        log.info("stop_requested", reason=reason, grace_s=self.grace_s)
        for callback in self._callbacks:
            callback()


def run(
    main: Callable[[Stop], Awaitable[None]], *, grace_s: float = GRACE_S, echo_s: float = 0.0
) -> int:
    """Run `main` on uvloop until it returns; returns the process's exit code.

    0: `main` returned, also when it had to be cut off `grace_s` after a stop was requested (what
    it left is safe in the store, and the log says so). 1: it raised; CannotStart is one line on
    stderr, anything else a traceback in the log. SIGINT and SIGTERM request the stop, even where
    SIGINT was inherited as ignored; a second signal ends the process at once with 128 + signal,
    unless it comes within `echo_s` of the first: where a terminal, make and the like each pass one
    Ctrl-C on, it arrives more than once.
    """
    import uvloop  # noqa: PLC0415 - what only imports the error types must not load it

    gc.enable()  # a command goes without while it imports
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(_live(main, grace_s, echo_s))
        # The loop now waits for every task and thread, and one that hangs would keep us for ever.
        patience = threading.Timer(_UNWIND_S, _exit, (code,))
        patience.daemon = True
        patience.start()
    patience.cancel()
    return code


async def _live(main: Callable[[Stop], Awaitable[None]], grace_s: float, echo_s: float) -> int:
    stop = Stop(grace_s=grace_s)
    with _signals(stop, echo_s):
        missing = missing_accelerators()
        if missing:
            log.warning("accelerators_missing", missing=missing, effect="about 1.3 times slower")
        try:
            await _until_stopped(asyncio.ensure_future(main(stop)), stop)
        except CannotStart as problem:
            print(problem, file=sys.stderr)  # noqa: T201 - for the operator, before any log is read
            return 1
        except Exception:
            # The outer frame of the process: nothing above could do better than to say so and end.
            log.exception("process_crashed")
            return 1
    log.info("process_stopped", reason=stop.reason or "finished")
    return 0


async def _until_stopped(work: asyncio.Future[None], stop: Stop) -> None:
    """Wait for main; once a stop is requested, no longer than the grace."""
    stopped = asyncio.ensure_future(stop.wait())
    both: set[asyncio.Future[Any]] = {work, stopped}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            await asyncio.wait({work}, timeout=stop.remaining_s)
        if not work.done():
            log.error("shutdown_cut_short", grace_s=stop.grace_s)
            work.cancel()
            await asyncio.wait({work}, timeout=_CANCEL_S)
            if not work.done():
                _exit(1)
    finally:
        stopped.cancel()
    if not work.cancelled():
        work.result()


@contextlib.contextmanager
def _signals(stop: Stop, echo_s: float) -> Iterator[None]:
    """Obey SIGINT and SIGTERM, whatever the parent left them as."""
    loop = asyncio.get_running_loop()
    first_at: float | None = None

    def obey(number: signal.Signals) -> None:
        nonlocal first_at
        if first_at is None:
            first_at = loop.time()
            stop.request(number.name)
        elif loop.time() - first_at >= echo_s:
            _exit(128 + number)

    for number in _SIGNALS:
        loop.add_signal_handler(number, obey, number)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def _exit(code: int) -> NoReturn:
    """Leave without unwinding: nothing that still runs can be trusted to end."""
    logs.close(_FLUSH_S)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
