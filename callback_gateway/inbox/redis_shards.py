"""The shards of the Redis inbox: which keys are whose, and how scripts are run on them.

Every script touches the keys of one shard, so that a cluster can spread them. What comes back is
checked against what was known of the shard. The scripts are in redis_scripts.
"""

from __future__ import annotations

import zlib
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from callback_gateway.inbox.redis_life import Life, Lives
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.redis import ScriptCall

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from callback_gateway.inbox.redis_life import Loss
    from callback_gateway.observers import StoreObserver
    from zhongkong.runtime.clock import Clock
    from zhongkong.runtime.redis import RedisConnection, Script, Synced
    from zhongkong.runtime.redis_wire import Word

T = TypeVar("T")

SHARDS: Final = 8
META_DISABLED: Final = "zk:gw:{meta}:disabled"

_PREFIXES: Final = [[f"zk:gw:{{{shard}}}:"] for shard in range(SHARDS)]
_UNKNOWN_MANY: Final = 0

log = get_logger()


@cache
def shard_of(account: str) -> int:
    """The fixed shard of an account: all its events are in one."""
    return zlib.crc32(account.encode()) % SHARDS


def by_shard(things: Iterable[T], accounts: Iterable[str]) -> dict[int, list[T]]:
    """Sort things by the shards of the accounts beside them."""
    shards: dict[int, list[T]] = {}
    for thing, account in zip(things, accounts, strict=True):
        shards.setdefault(shard_of(account), []).append(thing)
    return shards


class Shards:
    """Runs scripts on shards. The store's clock is Redis's own, unless `clock` stands in for it."""

    def __init__(
        self, connection: RedisConnection, clock: Clock | None, observer: StoreObserver | None
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._observer = observer
        self._lives = Lives()

    async def on(self, shard: int, script: Script, args: Sequence[Word]) -> tuple[float, Any]:
        """Run a script on one shard; returns the store's time and the script's own answer."""
        before = self._lives.known(shard)
        answer = await self._connection.run(script, _PREFIXES[shard], [self._time(), *args])
        return self._read(shard, before, answer)

    async def on_each(
        self, script: Script, args: Mapping[int, Sequence[Word]], *, synced: Synced | None = None
    ) -> dict[int, tuple[float, Any]]:
        """Run a script on several shards at once, in one trip where that can be.

        With `synced` the answers are there once what was written is on disk as it says.
        """
        if len(args) == 1 and synced is None:
            ((shard, words),) = args.items()
            return {shard: await self.on(shard, script, words)}
        before = {shard: self._lives.known(shard) for shard in args}
        now = self._time()
        answers = await self._connection.run_each(
            [ScriptCall(script, _PREFIXES[shard], [now, *words]) for shard, words in args.items()],
            synced,
        )
        return {
            shard: self._read(shard, before[shard], answer)
            for shard, answer in zip(args, answers, strict=True)
        }

    async def on_all(self, script: Script, *args: Word) -> dict[int, tuple[float, Any]]:
        """Run a script with the same arguments on every shard."""
        return await self.on_each(script, dict.fromkeys(range(SHARDS), args))

    async def on_meta(self, script: Script, *args: Word) -> Any:
        """Run a script on what belongs to no account."""
        return await self._connection.run(script, [META_DISABLED], args)

    async def close(self) -> None:
        await self._connection.close()

    def lost(self, count: int) -> None:
        """Tell of deliveries whose event is gone."""
        log.error("inbox_deliveries_lost", count=count)
        if self._observer is not None:
            self._observer.lost(count)

    def _read(self, shard: int, before: Life | None, answer: Any) -> tuple[float, Any]:
        now, name, count, body = answer
        loss = self._lives.see(shard, before, Life(name.decode(), count))
        if loss is not None:
            self._tell(loss)
        return float(now), body

    def _tell(self, loss: Loss) -> None:
        log.error(
            "inbox_store_lost",
            shard=loss.shard,
            what="emptied or replaced" if loss.emptied else "went back in time",
            accepted_before=loss.before.count,
            accepted_now=loss.now.count,
            hint="what it held and no handler had is gone; see `durability`",
        )
        if self._observer is not None:
            self._observer.lost(_UNKNOWN_MANY)

    def _time(self) -> str:
        """Empty: Redis looks at its own clock."""
        return "" if self._clock is None else repr(self._clock.now())
