"""What the local world prints: its own words, and its parts' lines behind their names."""

from __future__ import annotations

import select
import sys
from typing import TYPE_CHECKING, Final, TextIO

from zhongkong.local_world.log_lines import RESET, readable
from zhongkong.local_world.routine import is_routine
from zhongkong.runtime.log_writer import LineWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COLOURS: Final = tuple(f"\x1b[{number}m" for number in (36, 35, 32, 34, 96, 95))
"""None of those that say how serious a line is."""


class Screen:
    """Prints from a thread of its own, so that a terminal that stands still stops nobody."""

    def __init__(self, stream: TextIO, parts: Sequence[str], environ: Mapping[str, str]) -> None:
        """Colours only for a terminal, and not where NO_COLOR is set."""
        self._stream = stream
        self._own_settings = True
        self._colours = stream.isatty() and not environ.get("NO_COLOR")
        width = max(map(len, parts), default=0)
        self._prefixes = {
            part: self._prefix(part.ljust(width), _COLOURS[number % len(_COLOURS)])
            for number, part in enumerate(parts)
        }
        self._writer = LineWriter(stream, lambda count: f"({count} lines lost)\n".encode())

    @classmethod
    def standard_output(cls, parts: Sequence[str], environ: Mapping[str, str]) -> Screen:
        return cls(sys.stdout, parts, environ)

    def tell(self, text: str) -> None:
        """Print words of the world itself: one line, or several."""
        self._writer.write(f"{text}\n".encode())

    def show(self, part: str, line: bytes) -> None:
        """Print one line that a part has printed, unless it is routine."""
        if is_routine(line, own_settings=self._own_settings):
            return
        text = readable(line, colours=self._colours)
        self._writer.write(f"{self._prefixes[part]} {text}\n".encode())

    def settings_are_yours(self) -> None:
        """From now on people may change the settings that the world has written."""
        self._own_settings = False

    def is_read(self) -> bool:
        """Whether somebody may read it: False once what a pipe leads to has ended."""
        poll = select.poll()
        poll.register(self._stream, 0)
        return not any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))

    def close(self) -> None:
        """Print what is left. Blocks for two seconds at most."""
        self._writer.close()

    def _prefix(self, name: str, colour: str) -> str:
        return f"{colour}{name} |{RESET}" if self._colours else f"{name} |"
