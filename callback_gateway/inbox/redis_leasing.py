"""Leasing over the shards of Redis: which are asked, and how much each may give.

An answer is never more than was wanted, and of several shards the longest due comes first. Shards
that gave something lately are asked at each call, the others once a second, and whenever nothing
was found: an empty answer means that nothing is due anywhere.
"""

from __future__ import annotations

import asyncio
import heapq
from typing import TYPE_CHECKING, Any, Final

from callback_gateway.inbox import redis_rows
from callback_gateway.inbox.records import NOTIFY_LEASE_S, REPLY_LEASE_S
from callback_gateway.inbox.redis_scripts import LEASE, PEEK
from callback_gateway.inbox.redis_shards import SHARDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from callback_gateway.inbox.records import Delivery
    from callback_gateway.inbox.redis_shards import Shards
    from zhongkong.runtime.redis_wire import Word

ASK_ALL_S: Final = 1.0

_ALL: Final = frozenset(range(SHARDS))


class Leasing:
    """One process's way of asking."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards
        self._warm: set[int] = set()
        self._all_asked_at = -ASK_ALL_S

    def warm(self, shard: int) -> None:
        """Something was accepted there."""
        self._warm.add(shard)

    def warm_all(self) -> None:
        """Deliveries became due here and there."""
        self._warm.update(_ALL)

    async def lease(self, wanted: Mapping[str, int], name: str) -> list[Delivery]:
        """Lease what is due, at most so many of each target."""
        wanted = {target: most for target, most in wanted.items() if most > 0}
        if not wanted:
            return []
        now = asyncio.get_running_loop().time()
        if self._warm and now - self._all_asked_at < ASK_ALL_S:
            found = await self._ask(frozenset(self._warm), wanted, name)
            if found:
                return found
        self._all_asked_at = now
        return await self._ask(_ALL, wanted, name)

    async def _ask(
        self, shards: Collection[int], wanted: Mapping[str, int], name: str
    ) -> list[Delivery]:
        """Where several are asked, a look at what is due in each decides what each may give."""
        if len(shards) == 1:
            shares = {shard: dict(wanted) for shard in shards}
        else:
            shares = await self._shares(shards, wanted)
            self._warm -= set(shards) - set(shares)
            if not shares:
                return []
        answers = await self._shards.on_each(
            LEASE,
            {
                shard: (name, NOTIFY_LEASE_S, REPLY_LEASE_S, *_words(share))
                for shard, share in shares.items()
            },
        )
        rows: list[tuple[float, Any, float]] = []
        for shard, (now, (leases, lost)) in answers.items():
            if lost:
                self._shards.lost(lost)
            (self._warm.add if leases else self._warm.discard)(shard)
            rows += [(redis_rows.due_since(row), row, now) for row in leases]
        rows.sort(key=lambda each: each[0])
        return [redis_rows.delivery(row, now) for _, row, now in rows]

    async def _shares(
        self, shards: Collection[int], wanted: Mapping[str, int]
    ) -> dict[int, dict[str, int]]:
        """How many of each target each shard is to give; shards with nothing due are left out."""
        answers = await self._shards.on_each(PEEK, dict.fromkeys(shards, _words(wanted)))
        due = {shard: body for shard, (_, body) in answers.items() if any(body)}
        shares: dict[int, dict[str, int]] = {}
        for place, (target, most) in enumerate(wanted.items()):
            heads = heapq.nsmallest(
                most,
                ((float(since), shard) for shard, body in due.items() for since in body[place]),
            )
            for _, shard in heads:
                share = shares.setdefault(shard, {})
                share[target] = share.get(target, 0) + 1
        return shares


def _words(wanted: Mapping[str, int]) -> Sequence[Word]:
    return [word for pair in wanted.items() for word in pair]
