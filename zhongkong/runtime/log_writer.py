"""Puts lines on a stream from a thread of its own, so that a slow reader never stops the loop.

The queue is bounded by bytes: what doesn't fit is dropped and counted, and the count is reported
by a line as soon as there is room. What a line says is not known here.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_QUEUED_BYTES = 16 * 1024 * 1024
BATCH_S = 0.02
"""Pause between two writes: a killed process loses at most about so much."""
STUCK_S = 1.0
"""How often a writer that waits for its reader looks whether it should give up."""


class LineWriter:
    """Safe to use from any thread, with or without a running loop."""

    def __init__(
        self,
        stream: TextIO,
        dropped_line: Callable[[int], bytes],
        *,
        max_queued_bytes: int = MAX_QUEUED_BYTES,
    ) -> None:
        self._stream = stream
        self._dropped_line = dropped_line
        self._limit = max_queued_bytes
        self._lock = threading.Lock()
        self._lines: list[bytes] = []
        self._queued = 0
        self._dropped = 0
        self._dropped_total = 0
        self._work = threading.Event()
        self._closing = threading.Event()
        self._abandoned = False
        self._descriptor = _descriptor(stream)
        # A daemon: a reader that has stopped reading must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Lines lost so far: no room, or the stream is broken."""
        return self._dropped_total

    def write(self, line: bytes) -> None:
        """Queue one line, which ends in a newline. Never blocks, except after `close`."""
        with self._lock:
            if self._queued + len(line) > self._limit:
                self._dropped += 1
                self._dropped_total += 1
                return
            self._lines.append(line)
            self._queued += len(line)
        if not self._work.is_set():
            self._work.set()
        if self._closing.is_set():
            self._write_late()

    def close(self, deadline_s: float = 2.0) -> bool:
        """Write what is queued; False when the deadline passed first. May be repeated.

        Lines that come later are written at once by whoever brings them.
        """
        self._closing.set()
        self._work.set()
        self._thread.join(deadline_s)
        self._abandoned = self._thread.is_alive()
        self._write_late()
        return not self._abandoned

    def _run(self) -> None:
        while not self._closing.is_set():
            self._work.wait()
            self._work.clear()
            self._write_queued()
            self._closing.wait(BATCH_S)
        self._write_queued()

    def _write_late(self) -> None:
        """After `close`: the thread has ended, or hangs, and then nobody else should."""
        if not self._thread.is_alive() and not self._abandoned:
            self._write_queued()

    def _write_queued(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, []
            dropped, self._dropped = self._dropped, 0
        if not lines and not dropped:
            return
        notice = self._dropped_line(dropped) if dropped else b""
        data = b"".join(lines)
        lost, unreported = 0, 0
        try:
            self._put(data + notice)
        except (OSError, ValueError):
            # A broken pipe or a closed stream; a full disk may have room again later.
            lost, unreported = len(lines), dropped
        with self._lock:
            self._queued -= len(data)
            self._dropped += lost + unreported
            self._dropped_total += lost

    def _put(self, data: bytes) -> None:
        if self._descriptor is None:
            self._stream.write(data.decode("utf-8", "replace"))
            self._stream.flush()
            return
        # Not through the stream: what it couldn't flush would fail again while Python shuts down.
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [], STUCK_S)


def _descriptor(stream: TextIO) -> int | None:
    """The file below the stream, if there is one."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        descriptor = stream.fileno()
        stream.flush()
        return descriptor
    return None
