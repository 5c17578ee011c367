"""Copying one token store into another, so that no token is lost and none is minted twice.

The order is the guarantee. The source is frozen, calls under way are waited for, everything is
written to a target that is frozen too and read back, the source's freeze is sealed, and only then
is the target thawed: at no moment may both mint. A copy that breaks off before the seal lets the
source thaw; the target stays frozen until another copy fills it. Whatever happens may be repeated.

A slot goes over in one write, with record, intents, budget and failure. Leases, refusals of
addresses and the names of replicas stay behind: they belong to processes of the source. How both
stores are held meanwhile is in `copy_hold`, which targets are refused in `copy_target`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from token_service.freeze import Freeze, Way, stands
from token_service.life import usable_until
from token_service.policy import Policy
from token_service.stores.batches import each
from token_service.stores.copy_hold import CopyRefused, Hold, held_by
from token_service.stores.copy_target import REMOVE, look_at_target, named
from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

    from token_service.slot import Slot, SlotState
    from token_service.stores.copy_hold import End
    from token_service.stores.movable import MovableTokenStore
    from zhongkong.runtime.clock import Clock

K = TypeVar("K")
R = TypeVar("R")

_LOOK_EVERY_S: Final = 0.1
_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Copied:
    """What stands in the target now. `again`: it stood there already, and no slot was written.

    `calls`: announced calls to WeChat whose outcome isn't known. `first_end`: when the first of the
    living tokens ends, or may end, by which the target's service has to run.
    """

    slots: int
    tokens: int
    calls: int
    revocations: int
    first_end: float | None
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
            standing = await self._standing(now)
            if standing is not None:
                await self._finish()
                return standing
        await look_at_target(self._from, self._to, self._clock)
        async with self._hold:
            await look_at_target(self._from, self._to, self._clock)
            copied = await self._carry_over(now)
            await self._hold.seal()
        await self._finish()
        return copied

    def _is_of_this(self, freeze: Freeze) -> bool:
        return freeze.way is Way.OUT and freeze.sealed and freeze.other == self._to.address

    async def _standing(self, now: float) -> Copied | None:
        """What this very copy left in the target, if it is whole; parts may not be thawed yet.

        Those that are may be in use already: they must be neither frozen nor written again.
        """
        if not await self._source.seal(self._hold.name):
            return None
        freeze, _ = await self._target.freeze_read()
        slots = await self._source.slots()
        strange = freeze is not None and freeze.copy != self._hold.name
        if strange or not slots <= await self._target.slots():
            return None
        states = await self._read(self._source, slots)
        there = await self._read(self._target, slots)
        if any(there[slot].counter < state.counter for slot, state in states.items()):
            return None
        revoked = await self._source.revocations()
        return _counted(states, revoked, now, again=freeze is None)

    async def _carry_over(self, now: float) -> Copied:
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
        revoked = await self._carry_revocations()
        await self._verify(written, revoked)
        return _counted(copied, revoked, now)

    async def _carry_revocations(self) -> Mapping[str, float]:
        revoked = await self._source.revocations()
        await self._each(revoked, lambda client: self._target.revoke(client, revoked[client]))
        return revoked

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
                raise CopyRefused(f"a call to WeChat does not end ({named(flying)}): try again")
            await self._clock.sleep(_LOOK_EVERY_S)

    async def _write(self, states: Mapping[Slot, SlotState]) -> dict[Slot, SlotState]:
        """Write slots; returns what has to be found there from now on."""

        async def write(slot: Slot) -> SlotState:
            taken = await self._target.take_over(slot, states[slot], self._hold.name)
            if taken is None:
                raise CopyRefused(
                    f"{self._to} was used by somebody else while it was filled ({slot}): stop the "
                    f"service that runs there, then {REMOVE}"
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
            what = named(wrong) if wrong else "revocations"
            raise CopyRefused(
                f"{self._to} does not give back what was written ({what}): it lost writes, or "
                "somebody else writes there"
            )

    async def _finish(self) -> None:
        """Carry over what was revoked meanwhile, and thaw the target. Raises CopyRefused."""
        try:
            await self._carry_revocations()
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
        return await each(keys, work, between=self._hold.keep)


def _counted(
    states: Mapping[Slot, SlotState],
    revoked: Mapping[str, float],
    now: float,
    *,
    again: bool = False,
) -> Copied:
    ends = [usable_until(state, now, Policy()) for state in states.values()]
    return Copied(
        slots=len(states),
        tokens=sum(state.record is not None for state in states.values()),
        calls=sum(len(state.intents) for state in states.values()),
        revocations=len(revoked),
        first_end=min((end for end in ends if end > now), default=None),
        again=again,
    )


def _thawed(state: SlotState) -> SlotState:
    """What is kept with the slot itself: a freeze's time moves on while the copy is at work."""
    return state if state.frozen is None else replace(state, frozen=None)
