"""Moving to another store, as the internal listener offers it: copy this store, or thaw it.

The running service does it itself, for a store of one process is open to nobody else. Addresses
carry passwords: they are opened, and shown and logged only without them. The keys of opaque tokens
don't come through here: the command that asks for a copy reads them where this service did.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from token_service.freeze import may_mint_elsewhere, stands
from token_service.freeze_told import fields_of, remedy_of
from token_service.stores.copy_hold import CopyRefused, End
from token_service.stores.copying import StoreCopy
from token_service.stores.open import open_token_store
from zhongkong.runtime.answers import rfc3339
from zhongkong.runtime.logs import get_logger
from zhongkong.runtime.problems import Problem
from zhongkong.runtime.startup import CannotStart
from zhongkong.runtime.storage import (
    MemoryTarget,
    StoreUnavailable,
    StoreUrlError,
    parse_store_url,
)

if TYPE_CHECKING:
    from pathlib import Path

    from token_service.stores.codec import Sealer
    from token_service.stores.copying import Copied
    from token_service.stores.movable import MovableTokenStore
    from zhongkong.runtime.clock import Clock, Randomness
    from zhongkong.runtime.storage import StoreTarget
    from zhongkong.runtime.tasks import TaskOwner

_ADDRESS_AT_MOST: Final = 2048
_KEYS_AT_MOST: Final = 64

log = get_logger()


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: a copy to this address, for a service with these opaque-token keys.

    `key_ids` is None where nobody cares.
    """

    to: str = field(repr=False)
    key_ids: tuple[str, ...] | None = None


def wish(body: Any) -> Wish:
    """Read `{"to": address, "opaque_key_ids": […]}`, the second optional. Raises Problem."""
    if not isinstance(body, dict) or not body.keys() <= {"to", "opaque_key_ids"}:
        raise _bad("The body is a JSON object with `to` and, if wanted, `opaque_key_ids`.")
    to, ids = body.get("to"), body.get("opaque_key_ids")
    if not isinstance(to, str) or not 0 < len(to) <= _ADDRESS_AT_MOST:
        raise _bad("`to` must be the address of a store, written as for the setting `store`.")
    if ids is None:
        return Wish(to)
    known = isinstance(ids, list) and len(ids) <= _KEYS_AT_MOST
    if not known or not all(isinstance(each, str) for each in ids):
        raise _bad("`opaque_key_ids` must be a list of texts.")
    return Wish(to, tuple(ids))


class Moving:
    """Copies and thaws the store of one running service."""

    def __init__(
        self,
        source: End,
        *,
        base: Path,
        sealer: Sealer,
        key_ids: tuple[str, ...],
        flights_s: float,
        tasks: TaskOwner,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        """Relative paths in addresses count from `base`."""
        self._source = source
        self._base = base
        self._sealer = sealer
        self._key_ids = key_ids
        self._flights_s = flights_s
        self._tasks = tasks
        self._clock = clock
        self._randomness = randomness
        self._at_work: asyncio.Task[Copied | Problem] | None = None

    async def copy(self, wanted: Wish) -> dict[str, Any]:
        """Copy the store, and freeze it for good. It goes on when the caller hangs up.

        Raises Problem: 400 for an address that means nothing, 409 for what a person must settle
        first, 503 when one of the stores is away. May be repeated.
        """
        target = self._target(wanted.to)
        if wanted.key_ids is not None and wanted.key_ids != self._key_ids:
            raise _conflict(
                "The running service uses other keys for opaque tokens than its configuration has "
                "now. Restart it, or undo the change, then repeat."
            )
        if self._at_work is not None and not self._at_work.done():
            raise _conflict("This service is at work on a copy already: wait for it.")
        self._at_work = self._tasks.once("store copy", self._settled(wanted.to, str(target)))
        outcome = await asyncio.shield(self._at_work)
        if isinstance(outcome, Problem):
            raise outcome
        first_end = outcome.first_end
        return {
            "from": self._source.address,
            "to": str(target),
            "slots": outcome.slots,
            "tokens": outcome.tokens,
            "calls": outcome.calls,
            "revocations": outcome.revocations,
            "first_end": None if first_end is None else rfc3339(first_end),
            "again": outcome.again,
            "encrypted": self._sealer.active,
        }

    async def thaw(self) -> dict[str, Any]:
        """Lift whatever freeze stands. Raises Problem 503 when the store is away."""
        try:
            lifted = await self._source.store.take_back()
        except StoreUnavailable as away:
            raise _away(str(away)) from None
        if lifted is None:
            return {"thawed": False}
        log.warning("store_thawed", **fields_of(lifted))
        return {"thawed": True, "doubted": may_mint_elsewhere(lifted), **fields_of(lifted)}

    def _target(self, to: str) -> StoreTarget:
        try:
            target = parse_store_url(to, self._base)
        except StoreUrlError as error:
            raise _bad(f"`to`: {error}") from None
        if isinstance(target, MemoryTarget):
            raise _bad("`to`: memory:// ends with this process, and the copy with it.")
        if str(target) == self._source.address:
            raise _bad("`to` is the store that this service uses already.")
        return target

    async def _settled(self, to: str, shown: str) -> Copied | Problem:
        """Return what says no instead of raising it: it is an answer, not a defect."""
        began = self._clock.monotonic()
        ends = {"from_store": self._source.address, "to_store": shown}
        log.info("store_copy_started", **ends)
        try:
            copied = await self._copied(to, shown)
        except CopyRefused as refusal:
            problem = _conflict(str(refusal))
        except (StoreUnavailable, CannotStart) as trouble:
            problem = _away(str(trouble))
        except asyncio.CancelledError:
            log.error("store_copy_failed", **ends, reason="the service was stopped meanwhile")
            raise
        else:
            took_ms = int((self._clock.monotonic() - began) * 1000)
            counts = {"slots": copied.slots, "revocations": copied.revocations}
            log.warning("store_copied", **ends, **counts, again=copied.again, took_ms=took_ms)
            return copied
        log.error("store_copy_failed", **ends, reason=problem.detail)
        return problem

    async def _copied(self, to: str, shown: str) -> Copied:
        target = await open_token_store(
            to,
            base=self._base,
            clock=self._clock,
            randomness=self._randomness,
            sealer=self._sealer,
        )
        try:
            return await StoreCopy(
                self._source,
                End(target, shown),
                name=self._randomness.token(8),
                flights_s=self._flights_s,
                clock=self._clock,
            ).run()
        finally:
            await target.close()


async def tell_if_frozen(store: MovableTokenStore) -> None:
    """Log that the store is frozen which a service begins to use. Raises StoreUnavailable."""
    freeze, now = await store.freeze_read()
    if freeze is not None and stands(freeze, now):
        log.warning(
            "store_frozen",
            **fields_of(freeze),
            effect="nothing is fetched from WeChat; live tokens are handed out until they end",
            remedy=remedy_of(freeze, now),
        )


def _bad(detail: str) -> Problem:
    return Problem(400, "Bad request", detail)


def _conflict(detail: str) -> Problem:
    return Problem(409, "Not copied", detail)


def _away(detail: str) -> Problem:
    return Problem(503, "Store unavailable", detail, headers={"Retry-After": "5"})
