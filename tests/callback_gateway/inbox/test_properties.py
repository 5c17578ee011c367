"""Whatever is asked in whatever order: SQLite answers as memory does, and nothing gets lost."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from callback_gateway.inbox.base import Inbox
from callback_gateway.inbox.memory import MemoryInbox
from callback_gateway.inbox.records import (
    Accepted,
    Arrival,
    Attempt,
    Dead,
    Delivery,
    Depth,
    Done,
    Keeping,
    Mark,
    Release,
    Retry,
    Selection,
    Settlement,
    Stamp,
    Verdict,
)
from callback_gateway.inbox.sqlite import SqliteInbox
from tests.simulation.chance import SeededRandomness
from tests.token_service.stores.manual_clock import ManualClock

R = TypeVar("R")

KEEPING = Keeping(limit=9)
TARGETS = ("audit", "crm", "trading")
EVENTS = tuple(f"msg_{n}" for n in range(6))
LETTERS = tuple(f"{event}.{target}" for event in EVENTS for target in (*TARGETS, "-"))

stamps = st.builds(Stamp, st.sampled_from(["p1", "p2"]), st.sampled_from(["b1", "b2"]))
arrivals = st.builds(
    Arrival,
    st.sampled_from(EVENTS),
    st.just("shop"),
    st.binary(min_size=1, max_size=4),
    notify=st.lists(st.sampled_from(TARGETS), unique=True, max_size=2).map(tuple),
    replier=st.none() | st.sampled_from(TARGETS),
    reply_within_s=st.sampled_from([4.5, 14.5]),
    stamp=st.none() | st.none() | stamps,
    malformed=st.none() | st.none() | st.none() | st.just("not_xml"),
    marks=st.frozensets(st.just(Mark.SPOOLED)),
)
results = st.one_of(
    st.builds(Done, st.none() | st.binary(max_size=3)),
    st.builds(Retry, st.sampled_from([0.0, 1.0, 30.0, 3600.0])),
    st.builds(Dead, st.sampled_from(["exhausted", "target_gone"])),
    st.just(Release()),
)
attempts = st.none() | st.builds(
    Attempt, st.floats(0, 1e10), st.floats(0, 60), st.sampled_from(["timeout", "http_503"])
)
selections = st.one_of(
    st.just(Selection()),
    st.builds(Selection, ids=st.lists(st.sampled_from(LETTERS), min_size=1).map(tuple)),
    st.builds(Selection, account=st.sampled_from(["shop", "bank"])),
    st.builds(Selection, account=st.none() | st.just("shop"), target=st.sampled_from(TARGETS)),
)
few = st.integers(1, 3)
picks = st.lists(st.integers(0, 99), min_size=1, max_size=3)


class Content(NamedTuple):
    """What a file holds: deliveries as (event id, target, kind), dead letters by id."""

    standing: frozenset[tuple[str, str, str]]
    letters: frozenset[str]


class BothInboxes(RuleBasedStateMachine):
    """The same calls on memory and on SQLite."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "inbox.db"
        self.clock = ManualClock()
        self.memory = MemoryInbox(self.clock, SeededRandomness(1), KEEPING)
        self.sqlite = self.runner.run(self.opened())
        self.reader = sqlite3.connect(self.path)
        self.leases: list[Delivery] = []
        self.cursor: str | None = None

    async def opened(self) -> SqliteInbox:
        return await SqliteInbox.open(
            self.path,
            clock=self.clock,
            randomness=SeededRandomness(1),
            keeping=KEEPING,
            synchronous="NORMAL",
        )

    def teardown(self) -> None:
        self.reader.close()
        self.runner.run(self.sqlite.close())
        self.runner.close()
        self.folder.cleanup()

    def both(self, call: Callable[[Inbox], Awaitable[R]]) -> R:
        """Ask both, and compare."""

        async def ask() -> tuple[R, R]:
            return await call(self.memory), await call(self.sqlite)

        expected, got = self.runner.run(ask())
        assert got == expected
        return got

    def content(self) -> Content:
        standing = self.reader.execute(
            "SELECT id, target, kind FROM deliveries JOIN events ON number = event"
        )
        letters = self.reader.execute("SELECT id FROM dead_letters")
        return Content(
            frozenset(standing.fetchall()), frozenset(letter_id for (letter_id,) in letters)
        )

    def keep(self, lease: Delivery | None) -> None:
        if lease is not None:
            self.leases.append(lease)

    def picked(self, picks: list[int]) -> list[Delivery]:
        """Leases of any age, so that void ones are among them; the newest at every fourth pick."""
        newest = len(self.leases) - 1
        return [self.leases[newest if pick % 4 == 0 else pick % (newest + 1)] for pick in picks]

    @initialize(
        asked=st.sampled_from(TARGETS), heads=st.lists(st.sampled_from(TARGETS), max_size=4)
    )
    def fill(self, asked: str, heads: list[str]) -> None:
        """Begin with events to every target, some of which died."""
        batch = [
            Arrival("msg_0", "shop", b"{0}", notify=TARGETS, replier=asked, reply_within_s=4.5),
            *(Arrival(f"msg_{n}", "shop", b"{1}", notify=(TARGETS[n],)) for n in (1, 2)),
        ]
        self.accept(batch, "us")
        for name in heads:
            self.attempt(name, Dead("exhausted"), None)

    @rule(batch=st.lists(arrivals, min_size=1, max_size=4), owner=st.sampled_from(["us", "them"]))
    def accept_some(self, batch: list[Arrival], owner: str) -> None:
        self.accept(batch, owner)

    def accept(self, batch: list[Arrival], owner: str) -> None:
        before = self.content()
        answers = self.both(lambda inbox: inbox.accept(batch, owner=owner))
        after = self.content()
        for arrival, answer in zip(batch, answers, strict=True):
            self.keep(answer.lease)
            if answer.verdict is Verdict.NEW:
                assert promised(arrival, answer) <= after.standing | after.letters
        assert before.standing <= after.standing
        assert before.letters <= after.letters

    @rule(event_id=st.sampled_from([*EVENTS, "unknown"]), account=st.sampled_from(["shop", "bank"]))
    def join(self, event_id: str, account: str) -> None:
        self.keep(self.both(lambda inbox: inbox.join(account, event_id, owner="us")).lease)

    @rule(wanted=st.dictionaries(st.sampled_from(TARGETS), st.integers(0, 3)))
    def lease_some(self, wanted: dict[str, int]) -> None:
        self.lease(wanted)

    def lease(self, wanted: dict[str, int]) -> None:
        leased = self.both(lambda inbox: inbox.lease(wanted, owner="us"))
        for target, most in wanted.items():
            assert sum(each.target == target for each in leased) <= most
        self.leases += leased

    @precondition(lambda self: self.leases)
    @rule(picks=picks)
    def renew(self, picks: list[int]) -> None:
        deliveries = self.picked(picks)
        self.both(lambda inbox: inbox.renew(deliveries))

    @precondition(lambda self: self.leases)
    @rule(picks=picks, ends=st.lists(st.tuples(results, attempts), min_size=3, max_size=3))
    def settle(self, picks: list[int], ends: list[tuple[Any, Attempt | None]]) -> None:
        self.settle_each(
            [
                Settlement(delivery, result, attempt)
                for delivery, (result, attempt) in zip(self.picked(picks), ends, strict=False)
            ]
        )

    def settle_each(self, settlements: list[Settlement]) -> None:
        before = self.content()
        self.both(lambda inbox: inbox.settle(settlements))
        after = self.content()
        finished = {
            (each.delivery.event_id, each.delivery.target, str(each.delivery.kind))
            for each in settlements
            if isinstance(each.result, Done)
        }
        for event_id, target, kind in before.standing - after.standing - finished:
            assert f"{event_id}.{target}" in after.letters, kind
        assert before.letters <= after.letters

    @rule(name=st.sampled_from(TARGETS), end=results, attempt=attempts)
    def attempt(self, name: str, end: Any, attempt: Attempt | None) -> None:
        """Lease the head of a target and settle it, as a dispatcher does that nobody disturbs."""
        before = len(self.leases)
        self.lease({name: 1})
        if len(self.leases) > before:
            self.settle_each([Settlement(self.leases[-1], end, attempt)])

    @rule()
    def forget(self) -> None:
        """Let a day go by, and its ids with it; dead letters stay for longer."""
        self.clock.advance(86_401.0)
        self.purge(100)

    @rule(seconds=st.sampled_from([0.5, 2.5, 10.0, 40.0, 1300.0, 31 * 86_400.0]))
    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(selection=selections, limit=few)
    def redrive(self, selection: Selection, limit: int) -> None:
        before = self.content()
        self.both(lambda inbox: inbox.redrive(selection, limit=limit))
        after = self.content()
        for letter_id in before.letters - after.letters:
            event_id, _, target = letter_id.partition(".")
            assert (event_id, target, "notify") in after.standing
        assert before.standing <= after.standing

    @rule(selection=selections, limit=few)
    def drop(self, selection: Selection, limit: int) -> None:
        before = self.content()
        dropped = self.both(lambda inbox: inbox.drop(selection, limit=limit))
        after = self.content()
        assert after.standing == before.standing
        assert len(before.letters - after.letters) == dropped

    @rule(limit=st.integers(0, 5))
    def purge_some(self, limit: int) -> None:
        self.purge(limit)

    def purge(self, limit: int) -> None:
        before = self.content()
        assert self.both(lambda inbox: inbox.purge(limit=limit)) <= limit
        assert self.content().standing == before.standing

    @rule(selection=selections, limit=few, further=st.booleans())
    def look(self, selection: Selection, limit: int, further: bool) -> None:
        after = self.cursor if further else None
        page = self.both(lambda inbox: inbox.dead_letters(selection, after=after, limit=limit))
        self.cursor = page.next or self.cursor

    @rule(name=st.sampled_from(TARGETS))
    def hasten(self, name: str) -> None:
        self.both(lambda inbox: inbox.hasten(name))

    @invariant()
    def counts_agree(self) -> None:
        async def look(inbox: Inbox) -> tuple[Depth, float | None]:
            return await inbox.depth(), await inbox.next_due_in(TARGETS)

        depth, _ = self.both(look)
        content = self.content()
        undelivered = {event_id for event_id, *_ in content.standing}
        assert depth.events == len(undelivered) + len(content.letters)


def promised(arrival: Arrival, answer: Accepted) -> frozenset[Any]:
    """What must stand after this arrival was accepted."""
    if arrival.malformed is not None:
        return frozenset({f"{arrival.event_id}.-"})
    stands = {(arrival.event_id, target, "notify") for target in arrival.notify}
    if arrival.replier is not None:
        assert answer.lease is not None
        stands.add((arrival.event_id, arrival.replier, "reply"))
    return frozenset(stands)


TestBothInboxes = pytest.mark.slow(BothInboxes.TestCase)
TestBothInboxes.settings = settings(
    settings.get_profile("untimed"), max_examples=40, stateful_step_count=60
)
