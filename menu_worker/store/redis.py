"""The menu store in Redis, for workers on several machines. Lua is in redis_scripts.py.

Every script touches one key, and an account's keys carry the hash tag of its shard. A Redis that
was emptied has no claims, history or counters left: what a running worker remembers goes in again,
fences follow the time, and the rest is found anew by the next pass.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

from menu_worker.store import codec, redis_scripts as scripts
from menu_worker.store.base import (
    CLAIMS_KEPT,
    DRIFTS_KEPT,
    REVISIONS_KEPT,
    Claim,
    Drift,
    Lease,
    Standing,
)
from menu_worker.store.remembered import Remembered
from zhongkong.wechat.limits import CHINA_OFFSET_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from menu_worker.store.base import Outcome, Revision, Verified
    from zhongkong.runtime.clock import Clock
    from zhongkong.runtime.redis import RedisConnection, Script
    from zhongkong.runtime.redis_wire import Word

SHARDS: Final = 16

_CALL: Final = b"call:"


class RedisMenuStore:
    """The store's clock is Redis's own, unless `clock` stands in for it."""

    def __init__(self, connection: RedisConnection, *, clock: Clock | None = None) -> None:
        """Take over the connection: `close` closes it."""
        self._connection = connection
        self._clock = clock
        self._remembered = Remembered()

    async def claim(self, account: str, instance: str, fingerprint: str) -> Standing:
        at = self._remembered.claimed_at(account, instance, fingerprint)
        words = (instance, fingerprint, "" if at is None else repr(at), CLAIMS_KEPT)
        standing = _standing(await self._at_a_time(scripts.CLAIM, account, "claims", *words))
        return self._remembered.claimed(account, instance, standing)

    async def standing(self, account: str) -> Standing:
        return _standing(await self._at_a_time(scripts.STANDING, account, "claims"))

    async def acquire(self, account: str, instance: str, ttl_s: float) -> Lease | None:
        fence = await self._at_a_time(scripts.ACQUIRE, account, "lease", instance, ttl_s)
        return None if fence is None else Lease(account, instance, int(fence))

    async def holds(self, lease: Lease, ttl_s: float) -> bool:
        words = (lease.instance, lease.fence, ttl_s)
        return bool(await self._at_a_time(scripts.HOLDS, lease.account, "lease", *words))

    async def release(self, lease: Lease) -> None:
        await self._run(scripts.RELEASE, lease.account, "lease", lease.instance, lease.fence)

    async def begin(
        self,
        account: str,
        *,
        actor: str,
        reason: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        fingerprint: str,
    ) -> int:
        """Record a write before it starts. Raises DocumentTooLarge, too, and writes nothing."""
        record = codec.encode_record(
            account,
            actor=actor,
            reason=reason,
            before=before,
            after=after,
            fingerprint=fingerprint,
        )
        words = (record, self._remembered.last_revision(account), REVISIONS_KEPT)
        number = await self._at_a_time(scripts.BEGIN, account, "revisions", *words)
        return self._remembered.begun(account, number)

    async def finish(self, account: str, revision: int, outcome: Outcome, detail: str = "") -> None:
        ending = codec.encode_ending(outcome, detail)
        await self._run(scripts.FINISH, account, "revisions", revision, ending)

    async def history(self, account: str, *, limit: int = 50) -> Sequence[Revision]:
        return await self._revisions(account, "", REVISIONS_KEPT, max(limit, 0))

    async def revision(self, account: str, revision: int) -> Revision | None:
        found = await self._revisions(account, revision, 1, 1)
        return found[0] if found else None

    async def set_verified(self, account: str, fingerprint: str, menu: Mapping[str, Any]) -> None:
        """Remember what was verified live. Raises DocumentTooLarge, too, and writes nothing."""
        document = codec.encode_document(menu, account, "the verified menu")
        record = codec.encode_verified(fingerprint, document)
        await self._at_a_time(scripts.SET_VERIFIED, account, "verified", record)

    async def verified(self, account: str) -> Verified | None:
        kept = await self._run(scripts.READ, account, "verified")
        if kept is None:
            return None
        at, record = _dated(kept)
        return codec.decode_verified(record, account, at)

    async def spend(self, account: str, call: str, limit: int) -> bool:
        words = (CHINA_OFFSET_S, call, limit)
        return bool(await self._at_a_time(scripts.SPEND, account, "spent", *words))

    async def spent(self, account: str) -> Mapping[str, int]:
        flat = await self._at_a_time(scripts.SPENT, account, "spent", CHINA_OFFSET_S)
        return {
            name.removeprefix(_CALL).decode(): int(times)
            for name, times in _pairs(flat)
            if name.startswith(_CALL)
        }

    async def record_drift(self, account: str, fingerprint: str) -> None:
        words = (fingerprint, DRIFTS_KEPT)
        await self._at_a_time(scripts.RECORD_DRIFT, account, "drifts", *words)

    async def drifts(self, account: str) -> tuple[Sequence[Drift], float]:
        now, kept = await self._at_a_time(scripts.DRIFTS, account, "drifts")
        dated = [_dated(each) for each in kept]
        return tuple(Drift(at, fingerprint.decode()) for at, fingerprint in dated), float(now)

    async def pause(self, account: str, *, paused: bool, by: str) -> None:
        if paused:
            await self._run(scripts.PAUSE, account, "paused", by)
        else:
            await self._run(scripts.RESUME, account, "paused")

    async def paused(self, account: str) -> str | None:
        by = await self._run(scripts.READ, account, "paused")
        return None if by is None else str(by.decode())

    async def close(self) -> None:
        await self._connection.close()

    async def _revisions(
        self, account: str, first: Word, look_at: int, most: int
    ) -> list[Revision]:
        found = await self._run(scripts.HISTORY, account, "revisions", first, look_at, most)
        return [_revision(account, each) for each in found]

    async def _at_a_time(self, script: Script, account: str, part: str, *words: Word) -> Any:
        """An empty time: Redis looks at its own clock."""
        now = "" if self._clock is None else repr(self._clock.now())
        return await self._run(script, account, part, now, *words)

    async def _run(self, script: Script, account: str, part: str, *words: Word) -> Any:
        return await self._connection.run(script, [key_of(account, part)], words)


def shard_of(account: str) -> int:
    """The fixed shard of an account: all that is kept of it is in one."""
    return zlib.crc32(account.encode()) % SHARDS


def key_of(account: str, part: str) -> str:
    """`part`: claims, lease, revisions, verified, spent, drifts, paused."""
    return f"zk:mw:{{{shard_of(account)}}}:{part}:{account}"


def _standing(answer: Any) -> Standing:
    now, flat = answer
    dated = [(instance.decode(), *_dated(claim)) for instance, claim in _pairs(flat)]
    claims = [Claim(instance, claimed.decode(), at) for instance, at, claimed in dated]
    return Standing(tuple(sorted(claims, key=lambda each: each.instance)), float(now))


def _revision(account: str, found: Any) -> Revision:
    number, dated, ending = found
    at, record = _dated(dated)
    return codec.decode_record(
        record, account=account, number=number, at=at, ending=ending.decode()
    )


def _dated(text: bytes) -> tuple[float, bytes]:
    """What was kept with its time in front."""
    at, _, rest = text.partition(b" ")
    return float(at), rest


def _pairs(flat: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    return list(zip(flat[::2], flat[1::2], strict=True))
