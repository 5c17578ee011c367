"""How much of the two cores other programs took during a round, where the system tells.

To take turns doesn't make up for them: on a busy core a server with several threads gets a larger
share than one with a single thread, so that the ratio of their rates says little about either.
"""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import machine

if TYPE_CHECKING:
    from collections.abc import Sequence

AT_MOST = 0.10
"""Of either core, in the median round: above it the rates are no measurement."""

# Columns of /proc/stat: what runs for programs, and what the host took away. Interrupts are
# nobody's: those of the loopback are ours, and can't be told apart.
_BUSY = (0, 1, 2, 7)  # user, nice, system, steal
_COLUMNS = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """Seconds since some start: of each core in all, spent on programs, and spent on ours."""

    all_s: tuple[float, ...]
    programs_s: tuple[float, ...]
    ours_s: tuple[float, ...]


def read(cores: tuple[int, int], server: int, helpers: Sequence[int]) -> Reading | None:
    """Now, on the core of the server and on that of the load. None where it can't be told.

    `helpers` are the processes beside the load; the load itself counts when it has ended.
    """
    try:
        lines = Path("/proc/stat").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    if cores[0] == cores[1]:
        return None
    ours = machine.cpu_seconds(server)
    beside = [machine.cpu_seconds(process_id) or 0.0 for process_id in helpers]
    if ours is None:
        return None
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    mine = resource.getrusage(resource.RUSAGE_SELF)
    loading = sum(each.ru_utime + each.ru_stime for each in (ended, mine)) + sum(beside)
    both = [_core(lines, core) for core in cores]
    return Reading(
        all_s=tuple(sum(core) for core in both),
        programs_s=tuple(sum(core[column] for column in _BUSY) for core in both),
        ours_s=(ours, loading),
    )


def taken_by_others(before: Reading | None, after: Reading | None) -> float | None:
    """The share of the busier of both cores that others, or the host, took in between."""
    if before is None or after is None or before.all_s == after.all_s:
        return None
    shares: list[float] = [
        ((programs - programs_0) - (ours - ours_0)) / (whole - whole_0)
        for programs, programs_0, ours, ours_0, whole, whole_0 in zip(
            after.programs_s,
            before.programs_s,
            after.ours_s,
            before.ours_s,
            after.all_s,
            before.all_s,
            strict=True,
        )
    ]
    return max(0.0, *shares)


def _core(lines: Sequence[str], core: int) -> list[float]:
    name = f"cpu{core}"
    words = next(line.split() for line in lines if line.split()[0] == name)
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    return [int(word) * tick_s for word in words[1 : _COLUMNS + 1]]
