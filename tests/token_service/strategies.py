"""Hypothesis strategies for what a store keeps of a slot: every value that the types allow."""

from __future__ import annotations

from hypothesis import strategies as st

from token_service.slot import (
    Abandonment,
    Budget,
    Call,
    Cause,
    Condemned,
    Failure,
    FailureKind,
    Fence,
    ForeignRefreshes,
    Intent,
    IntentOutcome,
    Kind,
    Lease,
    Mode,
    Probe,
    Refusal,
    Slot,
    SlotState,
    TokenRecord,
    Verdict,
)

times = st.floats(min_value=0, max_value=2**36, allow_nan=False)
counts = st.integers(min_value=0, max_value=2**53 - 1)
names = st.text(max_size=20)
hexes = st.text("0123456789abcdef", min_size=16, max_size=24)

slots = st.builds(
    Slot,
    appid=st.text("abcdef0123456789", min_size=16, max_size=16).map("wx{}".format),
    kind=st.sampled_from(Kind),
    mode=st.sampled_from(Mode),
)
fences = st.builds(Fence, generation=hexes, counter=counts)
leases = st.builds(Lease, holder=names, fence=fences, expires_at=times)
intents = st.builds(
    Intent,
    fence=fences,
    holder=names,
    call=st.sampled_from(Call),
    cause=st.sampled_from(Cause),
    sent_at=times,
    lands_before=times,
    outcome=st.sampled_from(IntentOutcome),
    settled_at=st.none() | times,
)
records = st.builds(
    TokenRecord,
    value=st.text(max_size=60),
    version=hexes,
    issued_at=times,
    expires_at=times,
    fetched_at=times,
    fence=fences,
    call=st.sampled_from(Call),
    cause=st.sampled_from(Cause),
)
probes = st.builds(
    Probe, version=hexes, claimed_at=times, verdict=st.none() | st.sampled_from(Verdict)
)
failures = st.builds(
    Failure,
    kind=st.sampled_from(FailureKind),
    at=times,
    retry_at=times,
    attempts=counts,
    detail=names,
    errcode=st.none() | st.integers(min_value=-(2**31), max_value=2**31),
    rid=st.none() | names,
    credential=names,
)
refusals = st.builds(
    Refusal,
    replica=names,
    errcode=st.integers(min_value=-(2**31), max_value=2**31),
    at=times,
    until=times,
    address=st.none() | names,
)
budgets = st.builds(
    Budget,
    day=names,
    normal=counts,
    forced=counts,
    classic=counts,
    last_forced_at=st.none() | times,
)
abandonments = st.builds(
    Abandonment,
    sent=st.booleans(),
    unknown=st.booleans(),
    failure=st.none() | failures,
    refusal=st.none() | refusals,
)
states = st.builds(
    SlotState,
    generation=hexes,
    born_at=times,
    counter=counts,
    committed=st.booleans(),
    record=st.none() | records,
    condemned=st.none() | st.builds(Condemned, at=times, probed=st.booleans()),
    lease=st.none() | leases,
    intents=st.lists(intents, max_size=5).map(tuple),
    probe=st.none() | probes,
    failure=st.none() | failures,
    refusals=st.lists(refusals, max_size=3).map(tuple),
    budget=budgets,
    foreign=st.builds(ForeignRefreshes, count=counts, last_at=st.none() | times),
)
