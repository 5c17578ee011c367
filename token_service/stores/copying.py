"""Copying one token store into another, so that no token is lost and none is minted twice.

The order is the guarantee. The source is frozen, calls under way are waited for, everything is
written to a target that is frozen too and read back, the source's freeze is sealed, and only then
is the target thawed: at no moment may both mint. A copy that breaks off before the seal lets the
source thaw; the target stays frozen until another copy fills it. Whatever happens may be repeated.

A slot goes over in one write, with record, intents, budget and failure. Leases, refusals of
addresses and the names of replicas stay behind: they belong to processes of the source. How both
stores are held meanwhile is in `copy_hold`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from token_service.freeze import Freeze, Way, stands
from token_service.stores.copy_hold import CopyRefused, Hold, held_by
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

    from token_service.slot import Slot, SlotState
    from token_service.stores.copy_hold import End
    from token_service.stores.movable import MovableTokenStore
    from zhongkong.runtime.clock import Clock

K = TypeVar("K")
R = TypeVar("R")

SKEW_AT_MOST_S: Final = 2.0
"""Lives are copied as they are, so the clocks of both stores must agree."""

_AT_ONCE: Final = 64
_LOOK_EVERY_S: Final = 0.1
_ROUNDS: Final = 3
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Copied:
    """What stands in the target now. `again`: it stood there already, nothing was written.

    `calls`: announced calls to WeChat whose outcome isn't known.
    """

    slots: int
    tokens: int
    calls: int
    revocations: int
    again: bool = False


class StoreCopy:
    """One copy from source to target. `flights_s`: the longest that a call under way may take."""

    def __init__(
        self, source: End, target: End, *, name: str, flights_s: float, clock: Clock
    ) -> None:
        """`name` tells this copy from every other one."""
        self._from, self._to = source, target
        self._source, self._target = source.store, target.store
        self._hold = Hold(source, target, name, clock)
        self._flights_s = flights_s
        self._clock = clock

    async def run(self) -> Copied:
        """Copy everything. Raises CopyRefused, StoreUnavailable. Cancelled, it clears up too."""
        freeze, now = await self._source.freeze_read()
        if freeze is not None and stands(freeze, now):
            if not self._is_of_this(freeze):
                raise CopyRefused(held_by(freeze, self._from.address, now))
            # The same copy once more: it was cut off after the seal, or nobody heard its answer.
            self._hold.resume(freeze.copy)
            standing = await self._standing()
            if standing is not None:
                return standing
        await self._look_at_target()
        async with self._hold:
            await self._look_at_target()
            copied = await self._carry_over()
            await self._hold.seal()
        await self._thaw_target()
        return copied

    def _is_of_this(self, freeze: Freeze) -> bool:
        return freeze.way is Way.OUT and freeze.sealed and freeze.other == self._to.address

    async def _standing(self) -> Copied | None:
        """What this very copy left in the target, if it is whole and was thawed by then."""
        freeze, _ = await self._target.freeze_read()
        slots = await self._source.slots()
        if freeze is not None or not slots <= await self._target.slots():
            return None
        states = await self._read(self._source, slots)
        there = await self._read(self._target, slots)
        if any(there[slot].counter < state.counter for slot, state in states.items()):
            return None
        return _counted(states, await self._source.revocations(), again=True)

    async def _look_at_target(self) -> None:
        """Refuse what can't go well. Raises CopyRefused."""
        freeze, target_now = await self._target.freeze_read()
        asked_at = self._clock.monotonic()
        _, source_now = await self._source.freeze_read()
        skew_s = abs(target_now - source_now + (self._clock.monotonic() - asked_at) / 2)
        if skew_s > SKEW_AT_MOST_S:
            raise CopyRefused(
                f"the clocks of {self._from} and {self._to} are {skew_s:.0f} s apart, and the "
                f"tokens' ends are copied as they are: set them to within {SKEW_AT_MOST_S:g} s"
            )
        if freeze is not None and freeze.way is Way.OUT:
            raise CopyRefused(
                f"{self._to} was itself copied to {freeze.other}: empty it, or name another place"
            )
        there = await self._target.slots()
        if there and (freeze is None or there - await self._source.slots()):
            raise CopyRefused(
                f"{self._to} holds tokens already ({_named(there)}): stop the service that runs "
                "there and empty it, or name another place (another database or file), then repeat"
            )

    async def _carry_over(self) -> Copied:
        slots = await self._wait_for_flights()
        copied: dict[Slot, SlotState] = {}
        written: dict[Slot, SlotState] = {}
        # Reports and probes go on while the source is frozen: what they changed is written again.
        for _ in range(_ROUNDS):
            states = await self._read(self._source, slots)
            fresh = {slot: state for slot, state in states.items() if copied.get(slot) != state}
            written |= await self._write(fresh)
            copied |= fresh
            if not fresh:
                break
        revoked = dict(await self._source.revocations())
        await self._each(revoked, lambda client: self._target.revoke(client, revoked[client]))
        await self._verify(written, revoked)
        return _counted(copied, revoked)

    async def _wait_for_flights(self) -> frozenset[Slot]:
        """Wait until no lease stands: nobody is granted another, and who had one has ended."""
        slots = await self._source.slots()
        flying: Collection[Slot] = slots
        deadline = self._clock.monotonic() + self._flights_s
        while True:
            snapshots = await self._each(flying, self._source.snapshot)
            leases = {slot: (seen.state.lease, seen.now) for slot, seen in snapshots.items()}
            flying = [
                slot for slot, (lease, now) in leases.items() if lease and lease.expires_at > now
            ]
            if not flying:
                return slots
            if self._clock.monotonic() >= deadline:
                raise CopyRefused(f"a call to WeChat does not end ({_named(flying)}): try again")
            await self._clock.sleep(_LOOK_EVERY_S)

    async def _write(self, states: Mapping[Slot, SlotState]) -> dict[Slot, SlotState]:
        """Write slots; returns what has to be found there from now on."""

        async def write(slot: Slot) -> SlotState:
            taken = await self._target.take_over(slot, states[slot], self._hold.name)
            if taken is None:
                raise CopyRefused(
                    f"{self._to} was used by somebody else while it was filled ({slot}): stop the "
                    "service that runs there, empty it, then repeat"
                )
            return _thawed(taken)

        return await self._each(states, write)

    async def _verify(self, wanted: Mapping[Slot, SlotState], revoked: Mapping[str, float]) -> None:
        """Read everything back. Raises CopyRefused when it isn't what was written."""
        there = await self._read(self._target, wanted)
        known = await self._target.revocations()
        wrong = [slot for slot, state in wanted.items() if there[slot] != state]
        unknown = [client for client, at in revoked.items() if known.get(client, at - 1.0) < at]
        if wrong or unknown:
            what = _named(wrong) if wrong else "revocations"
            raise CopyRefused(
                f"{self._to} does not give back what was written ({what}): it lost writes, or "
                "somebody else writes there"
            )

    async def _thaw_target(self) -> None:
        try:
            await self._target.thaw(self._hold.name)
        except StoreUnavailable as away:
            raise CopyRefused(
                f"everything is in {self._to}, and {self._from} mints nothing any more, but the "
                f"last step failed: {away}. Repeat the command: it goes on from there"
            ) from None

    async def _read(self, store: MovableTokenStore, slots: Iterable[Slot]) -> dict[Slot, SlotState]:
        snapshots = await self._each(slots, store.snapshot)
        return {slot: _thawed(seen.state) for slot, seen in snapshots.items()}

    async def _each(self, keys: Iterable[K], work: Callable[[K], Awaitable[R]]) -> dict[K, R]:
        """Do the same for each, a bounded number at once. Raises the first error as it is."""
        left = list(keys)
        done: dict[K, R] = {}
        while left:
            batch, left = left[:_AT_ONCE], left[_AT_ONCE:]
            done |= await _at_once(batch, work)
            await self._hold.keep()
        return done


async def _at_once(keys: Iterable[K], work: Callable[[K], Awaitable[R]]) -> dict[K, R]:
    async def one(key: K) -> R:
        return await work(key)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = {key: group.create_task(one(key)) for key in keys}
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return {key: task.result() for key, task in tasks.items()}


def _counted(
    states: Mapping[Slot, SlotState], revoked: Mapping[str, float], *, again: bool = False
) -> Copied:
    return Copied(
        slots=len(states),
        tokens=sum(state.record is not None for state in states.values()),
        calls=sum(len(state.intents) for state in states.values()),
        revocations=len(revoked),
        again=again,
    )


def _named(slots: Collection[Slot]) -> str:
    """The first few, for a message."""
    names = sorted(map(str, slots))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _thawed(state: SlotState) -> SlotState:
    """What is kept with the slot itself: a freeze's time moves on while the copy is at work."""
    return state if state.frozen is None else replace(state, frozen=None)
