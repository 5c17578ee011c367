"""Dead letters in Redis: found over all shards, the oldest first, in slices that hold nobody up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from callback_gateway.inbox import codec, redis_rows
from callback_gateway.inbox.records import Page
from callback_gateway.inbox.redis_scripts import (
    DEAD_FIND,
    DEAD_READ,
    DEAD_SCAN,
    DROP,
    REDRIVE,
)
from callback_gateway.inbox.redis_shards import SHARDS, shard_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from callback_gateway.inbox.records import DeadLetter, Selection
    from callback_gateway.inbox.redis_shards import Shards
    from zhongkong.runtime.redis import Script
    from zhongkong.runtime.redis_wire import Word

SLICE: Final = 200
"""Letters that one script changes or reads."""
LOOK_AT: Final = 1000
"""Letters that one script looks through."""


@dataclass(frozen=True, slots=True, order=True)
class _Found:
    """Where a letter is; positions grow over all shards."""

    position: int
    shard: int
    id: str


class Letters:
    """Finds, reads, redrives and deletes dead letters."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def page(self, selection: Selection, begin: int, limit: int) -> Page:
        found = await self._find(selection, limit + 1, begin=begin)
        shown = found[:limit]
        letters = await self._read(shown)
        more = len(found) > len(shown) > 0
        return Page(letters, codec.encode_cursor(shown[-1].position) if more else None)

    async def redrive(self, selection: Selection, limit: int, life: str) -> int:
        found = await self._find(selection, limit, deliverable=True)
        return await self._each(REDRIVE, found, life)

    async def drop(self, selection: Selection, limit: int) -> int:
        return await self._each(DROP, await self._find(selection, limit))

    async def _find(
        self, selection: Selection, limit: int, *, begin: int = 0, deliverable: bool = False
    ) -> list[_Found]:
        """The first so many after a position. `deliverable` passes over those to NOWHERE."""
        passing = "1" if deliverable else ""
        if selection.ids:
            found = await self._find_named(selection, passing)
        else:
            found = await self._scan(selection, limit, begin, passing)
        return sorted(each for each in found if each.position > begin)[:limit]

    async def _find_named(self, selection: Selection, passing: str) -> list[_Found]:
        found: list[_Found] = []
        for ids in _slices(list(dict.fromkeys(selection.ids))):
            answers = await self._shards.on_all(DEAD_FIND, passing, *ids)
            for shard, (_, flat) in answers.items():
                found += _pairs(shard, flat)
        return found

    async def _scan(
        self, selection: Selection, limit: int, begin: int, passing: str
    ) -> list[_Found]:
        """Enough of each shard to know the first so many of all."""
        account, target = selection.account, selection.target
        cursors = dict.fromkeys(range(SHARDS) if account is None else [shard_of(account)], begin)
        found: dict[int, list[_Found]] = {shard: [] for shard in cursors}
        while cursors and limit > 0:
            words: dict[int, Sequence[Word]] = {
                shard: (
                    *(cursor, limit - len(found[shard]), LOOK_AT),
                    *(account or "", target or "", passing),
                )
                for shard, cursor in cursors.items()
            }
            answers = await self._shards.on_each(DEAD_SCAN, words)
            for shard, (_, (on, flat)) in answers.items():
                found[shard] += _pairs(shard, flat)
                del cursors[shard]
                if on and len(found[shard]) < limit:
                    cursors[shard] = int(on)
        return [each for of_shard in found.values() for each in of_shard]

    async def _read(self, found: Sequence[_Found]) -> tuple[DeadLetter, ...]:
        letters: dict[str, DeadLetter | None] = {}
        for shard, ids in _by_shard(found):
            _, rows = await self._shards.on(shard, DEAD_READ, ids)
            for letter_id, fields in zip(ids, rows, strict=True):
                letters[letter_id] = redis_rows.dead_letter(letter_id, fields)
        return tuple(letter for each in found if (letter := letters[each.id]) is not None)

    async def _each(self, script: Script, found: Sequence[_Found], *words: Word) -> int:
        changed = 0
        for shard, ids in _by_shard(found):
            _, count = await self._shards.on(shard, script, [*words, *ids])
            changed += count
        return changed


def _pairs(shard: int, flat: Sequence[Any]) -> list[_Found]:
    return [
        _Found(int(position), shard, letter_id.decode())
        for letter_id, position in zip(flat[::2], flat[1::2], strict=True)
    ]


def _by_shard(found: Sequence[_Found]) -> Iterator[tuple[int, list[str]]]:
    """Slices of ids, each of one shard."""
    for shard in range(SHARDS):
        for ids in _slices([each.id for each in found if each.shard == shard]):
            yield shard, ids


def _slices(ids: list[str]) -> Iterator[list[str]]:
    for begin in range(0, len(ids), SLICE):
        yield ids[begin : begin + SLICE]
