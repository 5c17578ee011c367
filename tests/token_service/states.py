"""Slot states in plain words, at one fixed moment, and strategies for states near that moment."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from token_service.policy import Policy, Replica
from token_service.slot import (
    Budget,
    Call,
    Cause,
    Condemned,
    Failure,
    FailureKind,
    Fence,
    Intent,
    IntentOutcome,
    Lease,
    Mode,
    Probe,
    Refusal,
    SlotState,
    TokenRecord,
    Verdict,
)
from zhongkong.wechat.limits import day_of

NOW = 1_790_000_000.0
LIFE_S = 7200.0
VERSION = "80000000deadbeef"
"""A version whose jitter is half of the largest."""

CLASSIC, STABLE = Policy(mode=Mode.CLASSIC), Policy(mode=Mode.STABLE)
ME = Replica("me")


def policy_of(mode: Mode) -> Policy:
    return CLASSIC if mode is Mode.CLASSIC else STABLE


def a_record(age_s: float = 600.0, *, life_s: float = LIFE_S, counter: int = 1) -> TokenRecord:
    """A token that was fetched so long ago."""
    sent_at = NOW - age_s
    return TokenRecord(
        value="a token",
        version=VERSION,
        issued_at=sent_at,
        expires_at=sent_at + life_s,
        fetched_at=sent_at,
        fence=Fence("life", counter),
        call=Call.CLASSIC,
        cause=Cause.PLANNED,
    )


def dying(left_s: float) -> TokenRecord:
    """A token with so much left."""
    return a_record(LIFE_S - left_s)


def an_intent(
    age_s: float,
    outcome: IntentOutcome = IntentOutcome.OPEN,
    *,
    call: Call = Call.CLASSIC,
    holder: str = "other",
) -> Intent:
    """A call that was announced so long ago; 15 s later it can't land any more."""
    sent_at = NOW - age_s
    settled_at = None if outcome is IntentOutcome.OPEN else sent_at + 1.0
    return Intent(
        Fence("life", 7), holder, call, Cause.PLANNED, sent_at, sent_at + 15.0, outcome, settled_at
    )


def a_state(record: TokenRecord | None = None, *intents: Intent) -> SlotState:
    """An old store's slot. Use `replace` for the rest."""
    return SlotState("life", NOW - 1e6, 9, committed=True, record=record, intents=intents)


def condemned(state: SlotState, ago_s: float = 1.0, *, probed: bool = True) -> SlotState:
    return replace(state, condemned=Condemned(NOW - ago_s, probed))


def probed(state: SlotState, ago_s: float, verdict: Verdict | None = Verdict.ALIVE) -> SlotState:
    return replace(state, probe=Probe(VERSION, NOW - ago_s, verdict))


def failed(
    state: SlotState,
    kind: FailureKind = FailureKind.TRANSIENT,
    *,
    ago_s: float = 1.0,
    wait_s: float = 20.0,
    credential: str = "",
) -> SlotState:
    at = NOW - ago_s
    failure = Failure(kind, at, at + wait_s, 1, "it failed", credential=credential)
    return replace(state, failure=failure)


def spent(**calls: int) -> Budget:
    """What was called today."""
    return Budget(day=day_of(NOW), **calls)


moments = st.floats(NOW - 8000, NOW + 8000)
_past = st.floats(NOW - 8000, NOW)
_fences = st.builds(Fence, st.sampled_from(["life", "earlier life"]), st.integers(0, 20))
_versions = st.sampled_from([VERSION, "00000000deadbeef", "ffffffffdeadbeef"])


@st.composite
def records(draw: st.DrawFn) -> TokenRecord:
    fetched_at = draw(_past)
    return replace(
        a_record(),
        version=draw(_versions),
        issued_at=fetched_at - draw(st.floats(0, 1000)),
        fetched_at=fetched_at,
        expires_at=fetched_at + draw(st.floats(1, LIFE_S)),
        fence=draw(_fences),
    )


@st.composite
def intents(draw: st.DrawFn) -> Intent:
    sent_at = draw(_past)
    outcome = draw(st.sampled_from(IntentOutcome))
    open_ = outcome is IntentOutcome.OPEN
    return Intent(
        fence=draw(_fences),
        holder=draw(st.sampled_from(["me", "other"])),
        call=draw(st.sampled_from([Call.NORMAL, Call.FORCED, Call.CLASSIC])),
        cause=Cause.PLANNED,
        sent_at=sent_at,
        lands_before=sent_at + draw(st.floats(0, 20)),
        outcome=outcome,
        settled_at=None if open_ else min(NOW, sent_at + draw(st.floats(0, 20))),
    )


_failures = st.builds(
    Failure,
    kind=st.sampled_from(FailureKind),
    at=_past,
    retry_at=moments,
    attempts=st.integers(1, 9),
    detail=st.just("it failed"),
    errcode=st.none() | st.just(45011),
    credential=st.sampled_from(["", "another"]),
)
budgets = st.builds(
    Budget,
    day=st.sampled_from([day_of(NOW), day_of(NOW - 86_400), ""]),
    normal=st.integers(0, 3000),
    forced=st.integers(0, 25),
    classic=st.integers(0, 2100),
    last_forced_at=st.none() | st.floats(NOW - 60, NOW),
)
states = st.builds(
    SlotState,
    generation=st.just("life"),
    born_at=_past,
    counter=st.integers(0, 30),
    committed=st.booleans(),
    record=st.none() | records(),
    condemned=st.none() | st.builds(Condemned, at=_past, probed=st.booleans()),
    lease=st.none()
    | st.builds(Lease, holder=st.sampled_from(["me", "other"]), fence=_fences, expires_at=moments),
    intents=st.lists(intents(), max_size=3).map(tuple),
    probe=st.none()
    | st.builds(
        Probe, version=_versions, claimed_at=_past, verdict=st.none() | st.sampled_from(Verdict)
    ),
    failure=st.none() | _failures,
    refusals=st.lists(
        st.builds(
            Refusal,
            replica=st.sampled_from(["me", "other"]),
            errcode=st.just(40164),
            at=_past,
            until=moments,
        ),
        max_size=2,
    ).map(tuple),
    budget=budgets,
)
replicas = st.builds(Replica, name=st.just("me"), held=st.none() | records(), spent=budgets)
policies = st.sampled_from([CLASSIC, STABLE])
