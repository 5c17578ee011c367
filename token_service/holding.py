"""What one replica holds of one slot, and until when it may hand it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from token_service.life import doubt_of, usable_until
from token_service.served import Served
from token_service.slot import Probe, Snapshot, TokenRecord, Verdict
from token_service.transitions import may_restore
from zhongkong.runtime.logs import get_logger

if TYPE_CHECKING:
    from token_service.environment import Environment
    from token_service.observer import Observer
    from token_service.plan import AccountPlan
    from token_service.slot import Intent, SlotState
    from zhongkong.runtime.clock import Clock
    from zhongkong.runtime.storage import StoreUnavailable

log = get_logger()


class StoreClock:
    """The store's time, estimated here: the later of what our two clocks make of its last reading.

    Later means that a token is dropped too early rather than too late, whichever clock jumps.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._store = self._wall = clock.now()
        self._monotonic = self._heard = clock.monotonic()

    def reading(self) -> tuple[float, float]:
        """Both local clocks, to be taken before the store is asked."""
        return self._clock.now(), self._clock.monotonic()

    def observe(self, store_now: float, asked_at: tuple[float, float]) -> None:
        """The store said `store_now` some time after `asked_at`."""
        self._store = store_now
        self._wall, self._monotonic = asked_at
        self._heard = self._clock.monotonic()

    def now(self) -> float:
        """Unix seconds by the store's clock."""
        wall, monotonic = self.reading()
        return self._store + max(wall - self._wall, monotonic - self._monotonic)

    def steady_now(self) -> float:
        """The same by the clock that never jumps: no later than `now`, to date what is fetched."""
        return self._store + (self._clock.monotonic() - self._monotonic)

    def monotonic_at(self, store_time: float) -> float:
        """The monotonic moment of a store time, by the last reading: not later than it is."""
        return self._monotonic + (store_time - self._store)

    def latest_monotonic_at(self, store_time: float) -> float:
        """The same, but not earlier than it is, however slow the last reading was."""
        return self._heard + (store_time - self._store)


class StoreHealth:
    """Whether the store answers, as its users last saw it."""

    def __init__(self, observer: Observer) -> None:
        self.reachable = True
        self._observer = observer

    def lost(self, why: StoreUnavailable) -> None:
        """A call to the store failed."""
        if self._turn(reachable=False):
            log.warning("store_lost", reason=str(why))

    def found(self) -> bool:
        """A call to the store succeeded; True when it had been lost before."""
        found = self._turn(reachable=True)
        if found:
            log.warning("store_found")
        return found

    def _turn(self, *, reachable: bool) -> bool:
        if self.reachable is reachable:
            return False
        self.reachable = reachable
        self._observer.store_reachable(reachable=reachable)
        return True


@dataclass(frozen=True, slots=True)
class _Held:
    record: TokenRecord
    until: float
    monotonic_until: float
    served: Served


class Holding:
    """The live token in memory, beside the last state read from the store."""

    def __init__(self, plan: AccountPlan, environment: Environment) -> None:
        self.plan = plan
        self.state: SlotState | None = None
        self.floor = 0
        self.dead_version: str | None = None
        self._dead_at = 0.0
        self._clock = environment.clock
        self._store_clock = environment.store_clock
        self._held: _Held | None = None
        self._local = False
        self._ends: tuple[str, float] | None = None
        self._last_intents: tuple[Intent, ...] = ()

    def absorb(self, snapshot: Snapshot) -> bool:
        """Take over what the store says; True when what we serve changed."""
        before = self._held and (self._held.record.version, self._held.until)
        state = self.state = snapshot.state
        self._revive(state.probe)
        self.floor = max(self.floor, state.counter)
        kept = self.record(snapshot.now)
        if kept is None or not (self._local or may_restore(state, kept)):
            self._take(state, snapshot.now)
        elif self._local and usable_until(state, snapshot.now, self.plan.policy) > snapshot.now:
            self._take(state, snapshot.now)
        after = self._held and (self._held.record.version, self._held.until)
        return before != after

    def keep(self, record: TokenRecord, until: float) -> None:
        """Serve a token that the store doesn't have yet, from memory alone."""
        self._local = True
        self._hold(record, min(until, record.expires_at))

    def drop(self) -> None:
        """Forget a token that the store refused to take."""
        if self._local:
            self._local, self._held = False, None

    def current_version(self) -> str | None:
        """The version of the token that is served, or was last."""
        served = self.served()
        if served is not None:
            return served.version
        record = self.state.record if self.state else None
        return record.version if record else None

    def record_of(self, version: str) -> TokenRecord | None:
        """The current record if it has this version, dead or alive."""
        held = self._held.record if self._held else None
        stored = self.state.record if self.state else None
        return next((r for r in (stored, held) if r is not None and r.version == version), None)

    def is_condemned(self, version: str) -> bool:
        """Whether this version is known to be dead."""
        state = self.state
        if state is not None and state.condemned is not None and state.record is not None:
            return state.record.version == version
        return self.dead_version == version

    def bury(self, version: str) -> None:
        """This version is dead, whatever the store knows yet: it is not handed out any more."""
        self.dead_version, self._dead_at = version, self._store_clock.now()

    def must_tell_death(self, state: SlotState) -> bool:
        """Whether the store still takes a token for living that we know to be dead."""
        record = state.record
        return (
            record is not None and state.condemned is None and record.version == self.dead_version
        )

    def record(self, now: float) -> TokenRecord | None:
        """The record held, while it may be handed out."""
        held = self._held
        if held is None or now >= held.until or held.record.version == self.dead_version:
            return None
        return held.record

    def served(self) -> Served | None:
        """The live token; the hot path of every read."""
        held = self._held
        if held is None or held.served.version == self.dead_version:
            return None
        if self._clock.monotonic() >= held.monotonic_until:
            return None
        if self._store_clock.now() >= held.until:
            return None
        return held.served

    def lost_intents(self) -> tuple[Intent, ...]:
        """The intents last seen beside the held record, for a store that lost its past."""
        return self._last_intents

    def doubted_since(self) -> float | None:
        """Since when the current token is in doubt."""
        doubt = None if self.state is None else doubt_of(self.state, self._store_clock.now())
        return None if doubt is None else doubt.since

    def _revive(self, probe: Probe | None) -> None:
        alive = probe is not None and probe.verdict is Verdict.ALIVE
        if alive and probe is not None and probe.claimed_at >= self._dead_at:
            self.dead_version = None if probe.version == self.dead_version else self.dead_version

    def _take(self, state: SlotState, now: float) -> None:
        self._local = False
        until = usable_until(state, now, self.plan.policy)
        if state.record is None or until <= now:
            self._held = None
            return
        self._last_intents = state.intents
        self._hold(state.record, until)

    def _hold(self, record: TokenRecord, until: float) -> None:
        """The latest end is fixed in monotonic time at first sight: no clock prolongs it."""
        if self._ends is None or self._ends[0] != record.version:
            self._ends = (record.version, self._store_clock.latest_monotonic_at(record.expires_at))
        ends = min(self._ends[1], self._store_clock.monotonic_at(until))
        served = Served(self.plan.slot, record.value, record.version, record.issued_at, until)
        self._held = _Held(record, until, ends, served)
