"""PURE: what each store operation does to a slot. Every store runs these same functions.

They take the state and the store's `now`, and return the next state, or raise `LeaseLost` and
change nothing. A repeated operation ends in the same state, so that a caller whose answer was lost
may repeat it.
"""

from __future__ import annotations

from dataclasses import replace

from token_service.budget import refund, spend
from token_service.freeze import stands
from token_service.intents import fold, intent_of, is_of, missing
from token_service.slot import (
    Abandonment,
    Call,
    Cause,
    Fence,
    Intent,
    IntentOutcome,
    Lease,
    LeaseLost,
    Refusal,
    SlotState,
    TokenRecord,
)
from token_service.verdicts import count_foreign, is_certain_at_once


def acquire(
    state: SlotState, holder: str, *, floor: int, ttl_s: float, now: float
) -> tuple[SlotState, Lease | None]:
    """Grant the lease under a new fence, above `floor` too; None while another holds it.

    Nobody is granted one while the store is frozen; who has one may finish before it lapses.
    """
    if stands(state.frozen, now):
        return state, None
    lease = state.lease
    if lease is not None and lease.holder != holder and lease.expires_at > now:
        return state, None
    fence = Fence(state.generation, max(state.counter, floor) + 1)
    granted = Lease(holder, fence, now + ttl_s)
    return replace(state, counter=fence.counter, lease=granted), granted


def renew(state: SlotState, lease: Lease, *, ttl_s: float, now: float) -> tuple[SlotState, Lease]:
    """Prolong a lease that nobody took over, even one that lapsed meanwhile."""
    _require_held(state, lease, now)
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
    _require_held(state, lease, now)
    known = intent_of(state, lease)
    if known is not None:
        return state, known
    intent = Intent(lease.fence, lease.holder, call, cause, now, now + lands_within_s)
    return replace(
        state,
        lease=replace(lease, expires_at=now + ttl_s),
        intents=fold((*state.intents, intent), now),
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
    if current is not None and same is None and _died_unproven(state, current):
        state = count_foreign(state, current, now=now)
    return replace(
        state,
        record=replace(record, issued_at=same.issued_at) if same else record,
        condemned=state.condemned if same else None,
        probe=state.probe if same else None,
        intents=tuple(
            intent
            for intent in state.intents
            if not is_of(intent, lease) and intent.lands_before > record.fetched_at
        ),
        failure=None,
        refusals=_without(state.refusals, lease.holder),
        lease=None,
        committed=True,
    ), True


def _died_unproven(state: SlotState, record: TokenRecord) -> bool:
    """On evidence alone; that WeChat gives another token by now is the proof."""
    condemned = state.condemned
    return condemned is not None and not condemned.probed and not is_certain_at_once(record)


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
    announced = intent_of(state, lease)
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
        intents = fold((*intents, doubtful), now)
    state = replace(state, intents=intents)
    if not ending.sent and announced is not None:
        state = replace(state, budget=refund(state.budget, intent.call, now))
    if ending.refusal is not None:
        others = _without(state.refusals, ending.refusal.replica)
        standing = tuple(refusal for refusal in others if refusal.until > now)
        state = replace(state, refusals=(*standing, ending.refusal))
    if ending.failure is not None and _is_newest_grant(state, lease):
        state = replace(state, failure=ending.failure)
    return release(state, lease)


def may_restore(state: SlotState, record: TokenRecord) -> bool:
    """Whether a store that lost its past takes this record back: the highest fence wins.

    An older mint never displaces a newer one, even where a failover gave its fence away again. What
    was fetched without any store's grant bears a machine's guess at the time, and is fetched anew.
    """
    current = state.record
    if record.fence.counter < 0:
        return False
    if state.committed and record.fence.generation != state.generation:
        return False
    return current is None or (
        record.fence.counter > current.fence.counter and record.fetched_at >= current.fetched_at
    )


def lacks_intents(state: SlotState, record: TokenRecord, intents: tuple[Intent, ...]) -> bool:
    """Whether a record was given back to an emptied store without intents that others saw."""
    return not state.committed and state.record == record and bool(missing(state, intents, record))


def restore(
    state: SlotState, record: TokenRecord, intents: tuple[Intent, ...], *, now: float
) -> tuple[SlotState, bool]:
    """Take back a record that a replica still holds, with the intents that it last saw."""
    if stands(state.frozen, now):
        return state, False
    fresh = may_restore(state, record)
    if not fresh and not lacks_intents(state, record, intents):
        return state, False
    others = tuple(intent for intent in state.intents if intent.fence != record.fence)
    return replace(
        state,
        record=record,
        condemned=None if fresh else state.condemned,
        counter=max(state.counter, record.fence.counter),
        intents=fold((*others, *missing(state, intents, record)), now),
    ), True


def _refuse(state: SlotState, lease: Lease, record: TokenRecord, now: float) -> SlotState:
    if not record.call.kills_predecessor:
        return state
    others = tuple(intent for intent in state.intents if not is_of(intent, lease))
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
    return replace(state, intents=fold((*others, late), now))


def _holds(state: SlotState, lease: Lease) -> bool:
    current = state.lease
    return current is not None and (current.holder, current.fence) == (lease.holder, lease.fence)


def _require_held(state: SlotState, lease: Lease, now: float) -> None:
    """On a frozen store a lapsed lease is lost: the copy waited for it, and waits no more."""
    current = state.lease
    if current is None or not _holds(state, lease):
        raise LeaseLost
    if current.expires_at <= now and stands(state.frozen, now):
        raise LeaseLost


def _is_newest_grant(state: SlotState, lease: Lease) -> bool:
    """The lease may have lapsed or been given back, but nobody was granted one after it."""
    if (state.generation, state.counter) != (lease.fence.generation, lease.fence.counter):
        return False
    return state.lease is None or state.lease.holder == lease.holder


def _without(refusals: tuple[Refusal, ...], replica: str) -> tuple[Refusal, ...]:
    return tuple(refusal for refusal in refusals if refusal.replica != replica)
