"""How far a reader has read the changes of each shard, as one opaque text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Position:
    """One moment of one shard's history: its generation, and an id of its stream."""

    generation: str
    entry: str


def write(positions: Mapping[int, Position]) -> str:
    return ",".join(
        f"{shard}:{position.generation}:{position.entry}"
        for shard, position in sorted(positions.items())
    )


def read(cursor: str) -> dict[int, Position]:
    """Read what `write` wrote."""
    positions = {}
    for part in filter(None, cursor.split(",")):
        shard, generation, entry = part.split(":")
        positions[int(shard)] = Position(generation, entry)
    return positions
