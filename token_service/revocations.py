"""Which clients were revoked, and since when: what every replica knows of it, and how it spreads.

A revocation is a time: what the client was given before it is void. Every replica reads the store's
few entries again and again, and writes back those that a store lost, so that an emptied or failed
over store forgets none while one replica remembers. What is refused for it is decided elsewhere.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from token_service.stores.base import TokenStore
    from zhongkong.runtime.clock import Clock

SPREADS_WITHIN_S: Final = 2.0
"""A revocation lies this far ahead, to cover what replicas that don't know it yet still give.

Longer than the spreading takes, with room for clocks that differ. Whoever knows of a revocation
dates what he gives not before it (see `opaque`), so nothing that is given after it is lost to it.
"""

_SHARED_EVERY_S: Final = 0.4
_ALONE_EVERY_S: Final = 10.0

log = get_logger()


class Revocations:
    """`run` follows the store; `before` may be read any time, and `revoke` called once `run` runs.

    `now` is the store's time as it is estimated here.
    """

    def __init__(
        self,
        store: TokenStore,
        *,
        now: Callable[[], float],
        clock: Clock,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._on_change = on_change
        self._now = now
        self._clock = clock
        self._before: dict[str, float] = {}
        self._known = False

    @property
    def known(self) -> bool:
        """Whether the store was read once. Before that, a revoked client can't be told."""
        return self._known

    @property
    def before(self) -> Mapping[str, float]:
        """Client → the time before which what it was given is void. Always the present state."""
        return MappingProxyType(self._before)

    def is_key_revoked(self, key_sha256: str) -> bool:
        """Whether the client that had this key was revoked while it had it."""
        return key_subject(key_sha256) in self._before

    async def revoke(self, client: str, key_sha256: str | None = None) -> float:
        """Refuse this client's key, and void what it was given: here at once, elsewhere within 1 s.

        A client that is configured with another key afterwards begins anew. May be repeated.
        Raises StoreUnavailable when it is known only here as yet; the others then hear of it when
        the store is back, unless this process ends before.
        """
        at = self._now() + SPREADS_WITHIN_S
        subjects = [client] if key_sha256 is None else [client, key_subject(key_sha256)]
        self._take(dict.fromkeys(subjects, at))
        return max([await self._store.revoke(subject, at) for subject in subjects])

    async def run(self) -> None:
        """Follow the store until cancelled. A store that is away leaves what is known in force."""
        every_s = _SHARED_EVERY_S if self._store.shared else _ALONE_EVERY_S
        while True:
            try:
                await self.look()
            except StoreUnavailable:
                await self._clock.sleep(_SHARED_EVERY_S)
                continue
            await self._clock.sleep(every_s)

    async def look(self) -> None:
        """Read the store once, and give back what it lost. Raises StoreUnavailable."""
        stored = await self._store.revocations()
        self._take(stored)
        self._known = True
        for client, at in list(self._before.items()):
            if stored.get(client, at - 1.0) < at:
                log.warning("revocation_restored", client=client)
                await self._store.revoke(client, at)

    def _take(self, revoked: Mapping[str, float]) -> None:
        news = {
            subject: at for subject, at in revoked.items() if at > self._before.get(subject, at - 1)
        }
        if news:
            self._before.update(news)
            self._on_change()


def key_subject(key_sha256: str) -> str:
    """What a revoked key is called among the revoked clients; no client can have this name."""
    return f"key:{key_sha256}"
