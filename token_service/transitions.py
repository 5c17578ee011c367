"""PURE: what each store operation does to a slot. Every store runs these same functions.

They take the state and the store's `now`, and return the next state, or raise `LeaseLost` and
change nothing. A repeated operation ends in the same state, so that a caller whose answer was lost
may repeat it.
"""

from __future__ import annotations

from dataclasses import replace

from token_service.slot import (
    Abandonment,
    Budget,
    Call,
    Cause,
    Condemned,
    Fence,
    ForeignRefreshes,
    Intent,
    IntentOutcome,
    Lease,
    LeaseLost,
    Probe,
    Refusal,
    SlotState,
    TokenRecord,
    Verdict,
)
from zhongkong.wechat.limits import TOKEN_OVERLAP_S, day_of

_INTENTS_KEPT = 32


def acquire(
    state: SlotState, holder: str, *, floor: int, ttl_s: float, now: float
) -> tuple[SlotState, Lease | None]:
    """Grant the lease under a new fence, above `floor` too; None while another holds it."""
    lease = state.lease
    if lease is not None and lease.holder != holder and lease.expires_at > now:
        return state, None
    fence = Fence(state.generation, max(state.counter, floor) + 1)
    granted = Lease(holder, fence, now + ttl_s)
    return replace(state, counter=fence.counter, lease=granted), granted


def renew(state: SlotState, lease: Lease, *, ttl_s: float, now: float) -> tuple[SlotState, Lease]:
    """Prolong a lease that nobody took over, even one that lapsed meanwhile."""
    _require_held(state, lease)
    renewed = replace(lease, expires_at=now + ttl_s)
    return replace(state, lease=renewed), renewed


def release(state: SlotState, lease: Lease) -> SlotState:
    """Give the lease back; nothing happens when it is another's by now."""
    return replace(state, lease=None) if _holds(state, lease) else state


def begin(
    state: SlotState,
    lease: Lease,
    call: Call,
    cause: Cause,
    *,
    lands_within_s: float,
    ttl_s: float,
    now: float,
) -> tuple[SlotState, Intent]:
    """Announce a call under the lease, spend its budget and prolong the lease."""
    _require_held(state, lease)
    known = _intent_of(state, lease)
    if known is not None:
        return state, known
    intent = Intent(lease.fence, lease.holder, call, cause, now, now + lands_within_s)
    return replace(
        state,
        lease=replace(lease, expires_at=now + ttl_s),
        intents=_fold((*state.intents, intent), now),
        budget=spend(state.budget, call, now),
    ), intent


def commit(
    state: SlotState, lease: Lease, record: TokenRecord, *, now: float
) -> tuple[SlotState, bool]:
    """Store a token and give the lease back; False: a newer grant or generation stands against it.

    A refused token stays behind as an intent, for it may have started the stored one's death.
    """
    current = state.record
    if current is not None and current.fence == record.fence:
        stored = current.version == record.version
        return (state, True) if stored else (_refuse(state, lease, record, now), False)
    if not _is_newest_grant(state, lease):
        return _refuse(state, lease, record, now), False
    same = current if current is not None and current.version == record.version else None
    return replace(
        state,
        record=replace(record, issued_at=same.issued_at) if same else record,
        condemned=state.condemned if same else None,
        probe=state.probe if same else None,
        intents=tuple(
            intent
            for intent in state.intents
            if not _is_of(intent, lease) and intent.lands_before > record.fetched_at
        ),
        failure=None,
        refusals=_without(state.refusals, lease.holder),
        lease=None,
        committed=True,
    ), True


def abandon(
    state: SlotState,
    lease: Lease,
    intent: Intent,
    ending: Abandonment,
    *,
    settle_s: float,
    now: float,
) -> SlotState:
    """Close a call that brought no token, and give the lease back."""
    announced = _intent_of(state, lease)
    if announced is not None and announced.outcome is not IntentOutcome.OPEN:
        return release(state, lease)
    intents = tuple(other for other in state.intents if other is not announced)
    if ending.unknown and intent.call.kills_predecessor:
        doubtful = replace(
            intent,
            outcome=IntentOutcome.UNKNOWN,
            settled_at=now,
            lands_before=max(intent.lands_before, now + settle_s),
        )
        intents = _fold((*intents, doubtful), now)
    state = replace(state, intents=intents)
    if not ending.sent and announced is not None:
        state = replace(state, budget=_refund(state.budget, intent.call, now))
    if ending.refusal is not None:
        others = _without(state.refusals, ending.refusal.replica)
        standing = tuple(refusal for refusal in others if refusal.until > now)
        state = replace(state, refusals=(*standing, ending.refusal))
    if ending.failure is not None and _is_newest_grant(state, lease):
        state = replace(state, failure=ending.failure)
    return release(state, lease)


def claim_probe(
    state: SlotState, version: str, *, window_s: float, now: float
) -> tuple[SlotState, Probe, bool]:
    """Claim the one probe of a version within `window_s`; else the newest probe and False."""
    probe = state.probe
    if probe is not None and probe.version == version and probe.claimed_at + window_s > now:
        return state, probe, False
    claimed = Probe(version, now)
    return replace(state, probe=claimed), claimed, True


def settle_probe(state: SlotState, probe: Probe, verdict: Verdict, *, now: float) -> SlotState:
    """Record what a probe found, and what follows from it for the current token."""
    if state.probe is not None and state.probe.claimed_at <= probe.claimed_at:
        state = replace(state, probe=replace(probe, verdict=verdict))
    record = state.record
    if record is None or record.version != probe.version:
        return state
    if verdict is Verdict.DEAD:
        return _condemn(state, record, probed=True, now=now)
    if verdict is Verdict.ALIVE:
        return _acquit(state, record, probe)
    return state


def condemn(state: SlotState, version: str, *, now: float) -> SlotState:
    """Mark the current token dead on evidence; an older version is no news."""
    record = state.record
    if record is None or record.version != version or state.condemned is not None:
        return state
    return _condemn(state, record, probed=False, now=now)


def may_restore(state: SlotState, record: TokenRecord) -> bool:
    """Whether a store that lost its past takes this record back: the highest fence wins.

    An older mint never displaces a newer one, even where a failover gave its fence away again.
    """
    current = state.record
    if state.committed and record.fence.generation != state.generation:
        return False
    return current is None or (
        record.fence.counter > current.fence.counter and record.fetched_at > current.fetched_at
    )


def lacks_intents(state: SlotState, record: TokenRecord, intents: tuple[Intent, ...]) -> bool:
    """Whether a record was given back to an emptied store without intents that others saw."""
    return not state.committed and state.record == record and bool(_missing(state, intents, record))


def restore(
    state: SlotState, record: TokenRecord, intents: tuple[Intent, ...], *, now: float
) -> tuple[SlotState, bool]:
    """Take back a record that a replica still holds, with the intents that it last saw."""
    fresh = may_restore(state, record)
    if not fresh and not lacks_intents(state, record, intents):
        return state, False
    return replace(
        state,
        record=record,
        condemned=None if fresh else state.condemned,
        counter=max(state.counter, record.fence.counter),
        intents=_fold((*state.intents, *_missing(state, intents, record)), now),
    ), True


def spend(budget: Budget, call: Call, now: float) -> Budget:
    """Count one call on the day of `now`; a new day starts from nothing."""
    day = day_of(now)
    if budget.day != day:
        budget = Budget(day=day, last_forced_at=budget.last_forced_at)
    if call is Call.NORMAL:
        return replace(budget, normal=budget.normal + 1)
    if call is Call.CLASSIC:
        return replace(budget, classic=budget.classic + 1)
    return replace(budget, forced=budget.forced + 1, last_forced_at=now)


def _missing(
    state: SlotState, intents: tuple[Intent, ...], record: TokenRecord
) -> tuple[Intent, ...]:
    known = {(intent.fence, intent.holder) for intent in state.intents}
    return tuple(
        intent
        for intent in intents
        if (intent.fence, intent.holder) not in known and intent.fence != record.fence
    )


def _refund(budget: Budget, call: Call, now: float) -> Budget:
    if budget.day != day_of(now):
        return budget
    match call:
        case Call.NORMAL:
            return replace(budget, normal=max(0, budget.normal - 1))
        case Call.CLASSIC:
            return replace(budget, classic=max(0, budget.classic - 1))
        case Call.FORCED:
            return replace(budget, forced=max(0, budget.forced - 1))


def _fold(intents: tuple[Intent, ...], now: float) -> tuple[Intent, ...]:
    """Bound what a long outage leaves behind: the oldest landed intents become one that spans them.

    Landed calls that kill nothing say nothing any more.
    """
    excess = len(intents) - _INTENTS_KEPT
    if excess <= 0:
        return intents
    landed = [intent for intent in intents if intent.lands_before <= now]
    killers = [intent for intent in landed if intent.call.kills_predecessor]
    excess -= len(landed) - len(killers)
    kept = tuple(intent for intent in intents if intent not in landed)
    return (*_span(killers, max(excess, 0) + 1), *kept)


def _span(intents: list[Intent], size: int) -> list[Intent]:
    """Merge the first `size` intents into one that says all that they said together."""
    merged = intents[:size]
    if len(merged) < 2:
        return intents
    span = replace(
        merged[-1],
        sent_at=min(intent.sent_at for intent in merged),
        lands_before=max(intent.lands_before for intent in merged),
        outcome=IntentOutcome.UNKNOWN,
        settled_at=min(
            intent.lands_before if intent.settled_at is None else intent.settled_at
            for intent in merged
        ),
    )
    return [span, *intents[size:]]


def _condemn(state: SlotState, record: TokenRecord, *, probed: bool, now: float) -> SlotState:
    """A token neither replaced nor doubted by us, whose time isn't up, was killed by others."""
    earlier = state.condemned
    if earlier is None and now < record.expires_at and not _killers(state):
        foreign = ForeignRefreshes(state.foreign.count + 1, now)
        state = replace(state, foreign=foreign)
    at = now if earlier is None else earlier.at
    return replace(
        state, condemned=Condemned(at, probed or (earlier is not None and earlier.probed))
    )


def _acquit(state: SlotState, record: TokenRecord, probe: Probe) -> SlotState:
    """Alive: nothing said before the probe stands, and a kill that old would have shown by now."""
    if state.condemned is not None and state.condemned.at < probe.claimed_at:
        state = replace(state, condemned=None)
    pending = tuple(
        intent
        for intent in state.intents
        if max(intent.lands_before, record.fetched_at) + TOKEN_OVERLAP_S > probe.claimed_at
    )
    return state if len(pending) == len(state.intents) else replace(state, intents=pending)


def _refuse(state: SlotState, lease: Lease, record: TokenRecord, now: float) -> SlotState:
    if not record.call.kills_predecessor:
        return state
    others = tuple(intent for intent in state.intents if not _is_of(intent, lease))
    late = Intent(
        lease.fence,
        lease.holder,
        record.call,
        record.cause,
        sent_at=record.fetched_at,
        lands_before=now,
        outcome=IntentOutcome.REFUSED,
        settled_at=now,
    )
    return replace(state, intents=_fold((*others, late), now))


def _killers(state: SlotState) -> tuple[Intent, ...]:
    return tuple(intent for intent in state.intents if intent.call.kills_predecessor)


def _holds(state: SlotState, lease: Lease) -> bool:
    current = state.lease
    return current is not None and (current.holder, current.fence) == (lease.holder, lease.fence)


def _require_held(state: SlotState, lease: Lease) -> None:
    if not _holds(state, lease):
        raise LeaseLost


def _is_newest_grant(state: SlotState, lease: Lease) -> bool:
    """The lease may have lapsed or been given back, but nobody was granted one after it."""
    if (state.generation, state.counter) != (lease.fence.generation, lease.fence.counter):
        return False
    return state.lease is None or state.lease.holder == lease.holder


def _is_of(intent: Intent, lease: Lease) -> bool:
    return (intent.fence, intent.holder) == (lease.fence, lease.holder)


def _intent_of(state: SlotState, lease: Lease) -> Intent | None:
    return next((intent for intent in state.intents if _is_of(intent, lease)), None)


def _without(refusals: tuple[Refusal, ...], replica: str) -> tuple[Refusal, ...]:
    return tuple(refusal for refusal in refusals if refusal.replica != replica)
