"""The parts as processes: started, listened to, and ended, in turn and for certain.

How a part's life is tied to ours is in `child`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

from zhongkong.local_world.log_lines import fields_of, readable
from zhongkong.local_world.plan import SECRET_VARIABLE
from zhongkong.runtime.startup import CannotStart

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from zhongkong.local_world.plan import Part
    from zhongkong.local_world.screen import Screen

_LINE_AT_MOST: Final = 64 * 1024
_TOLD_AT_MOST: Final = 1000
_REAPED_WITHIN_S: Final = 2.0
_OWN_SETTINGS: Final = ("TOKEN_SERVICE_", "CALLBACK_GATEWAY_", "MENU_WORKER_", "ZHONGKONG_")
"""Variables that would change parts behind the back of the world's own files, or give them keys."""


class PartEnded(CannotStart):
    """A part ended though nobody asked it to; the message names it."""


def environment(part: Part, environ: Mapping[str, str]) -> dict[str, str]:
    """What a part gets of our own environment: secrets only where they are its own."""
    return {
        name: value
        for name, value in environ.items()
        if (name != SECRET_VARIABLE and not name.startswith(_OWN_SETTINGS))
        or name in part.variables
    }


class Household:
    """All running parts. An async context manager: none is left when it is over."""

    def __init__(self, screen: Screen, environ: Mapping[str, str]) -> None:
        self._screen = screen
        self._environ = environ
        self._running: list[_Running] = []

    async def start(self, part: Part) -> None:
        """Start one more part, which then waits for its turn. The first ones are ended last."""
        running = _Running(part, self._screen)
        self._running.append(running)
        await running.start(environment(part, self._environ))

    def begin(self, part: Part) -> None:
        """It is the turn of a part that was started."""
        for running in self._running:
            if running.part is part:
                running.begin()

    def require_all(self) -> None:
        """Raises PartEnded when a part has ended."""
        for running in self._running:
            running.require()

    async def watch(self, stopped: asyncio.Future[bool]) -> None:
        """Wait until `stopped` is done. Raises PartEnded as soon as a part ends before that."""
        ends: set[asyncio.Future[Any]] = {stopped}
        ends.update(running.ended for running in self._running if running.ended is not None)
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not stopped.done():
            self.require_all()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            for running in reversed(self._running):
                await running.stop()
        finally:
            for running in self._running:
                running.kill()


class _Running:
    def __init__(self, part: Part, screen: Screen) -> None:
        self.part = part
        self._screen = screen
        self._process: asyncio.subprocess.Process | None = None
        self._pump: asyncio.Task[None] | None = None
        self._last_line = b""
        self.ended: asyncio.Task[int] | None = None

    async def start(self, environ: Mapping[str, str]) -> None:
        """Start it in a session of its own: a Ctrl-C of the terminal is for the world alone."""
        pipe = asyncio.subprocess.PIPE
        shown = self.part.shows_stdout
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "zhongkong.local_world.child", str(os.getpid())),
            *(self.part.loads, self.part.module, *self.part.arguments),
            stdin=pipe,
            stdout=pipe if shown else asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.STDOUT if shown else pipe,
            env=environ,
            start_new_session=True,
        )
        stream = self._process.stdout or self._process.stderr
        if stream is not None:
            self._pump = asyncio.create_task(self._show(stream), name=f"{self.part.name} lines")
        self.ended = asyncio.create_task(self._end(self._process), name=f"{self.part.name} end")

    def begin(self) -> None:
        """What has ended meanwhile is told by `require`."""
        stdin = None if self._process is None else self._process.stdin
        if stdin is not None and not stdin.is_closing():
            stdin.write(b"\n")

    def require(self) -> None:
        if self.ended is not None and self.ended.done():
            code = self.ended.result()
            raise PartEnded(
                f"{self.part.name} ended by itself ({_how_it_ended(code)}){self._why(code)}. "
                "The local world has been stopped"
            )

    async def stop(self) -> None:
        """Ask it to end, wait for as long as it may take, then end it. May be repeated."""
        if self._process is None or self.ended is None:
            return
        if not self.ended.done():
            with suppress(ProcessLookupError):
                self._process.terminate()
            await asyncio.wait({self.ended}, timeout=self.part.stop_within_s)
        if not self.ended.done():
            self._screen.tell(f"{self.part.name} didn't end in time and is killed.")
            self.kill()
            await asyncio.wait({self.ended}, timeout=_REAPED_WITHIN_S)

    def kill(self) -> None:
        """End it and whatever it started, at once. Nothing happens when it has ended."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _end(self, process: asyncio.subprocess.Process) -> int:
        """Its exit code, once its last line has been shown too."""
        code = await process.wait()
        if self._pump is not None:
            await asyncio.wait({self._pump}, timeout=_REAPED_WITHIN_S)
            self._pump.cancel()
        return code

    def _why(self, code: int) -> str:
        """A part that can't start says so in a line for people, the last one."""
        if code > 0 and self._last_line and fields_of(self._last_line) is None:
            return f": {readable(self._last_line[:_TOLD_AT_MOST], colours=False)}"
        return "; its last lines stand above"

    async def _show(self, stream: asyncio.StreamReader) -> None:
        rest = b""
        while chunk := await stream.read(_LINE_AT_MOST):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LINE_AT_MOST:
                lines.append(rest)
                rest = b""
            for line in lines:
                self._tell(line)
        if rest:
            self._tell(rest)

    def _tell(self, line: bytes) -> None:
        self._last_line = line
        self._screen.show(self.part.name, line)


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
