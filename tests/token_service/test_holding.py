"""What one replica holds, and until when, whichever clock jumps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.chance import SeededRandomness
from tests.token_service.scenarios.events import Events
from tests.token_service.states import (
    CLASSIC,
    NOW,
    a_record,
    a_state,
    an_intent,
    condemned,
    dying,
    probed,
)
from tests.token_service.stores.manual_clock import ManualClock
from token_service.environment import Environment
from token_service.holding import Holding, StoreClock, StoreHealth
from token_service.outcome import Unsent
from token_service.plan import AccountPlan
from token_service.slot import (
    Call,
    Fence,
    IntentOutcome,
    Kind,
    Mode,
    Slot,
    SlotState,
    Snapshot,
    Verdict,
)
from token_service.stores.memory import MemoryTokenStore

SLOT = Slot("wx0123456789abcdef", Kind.ACCESS_TOKEN, Mode.CLASSIC)
PLAN = AccountPlan("shop", SLOT, CLASSIC, lambda: "a secret")


class JumpyClock(ManualClock):
    """A machine whose wall clock may jump."""

    def jump(self, seconds: float) -> None:
        self._now += seconds


class NoWeChat:
    """Nobody holds a token for being asked."""

    async def fetch(self, plan: AccountPlan, call: Call, *, deadline_s: float) -> Unsent:
        return Unsent("there is none")

    async def probe(self, plan: AccountPlan, value: str) -> Verdict:
        return Verdict.INCONCLUSIVE


class Machine:
    """One replica's clocks, and what it holds. The store's time is `NOW` at the first reading."""

    def __init__(self) -> None:
        self.clock = JumpyClock()
        self.store_clock = StoreClock(self.clock)
        events, chance = Events(self.clock.now), SeededRandomness("machine")
        health = StoreHealth(events)
        store = MemoryTokenStore(self.clock, chance)
        self.holding = Holding(
            PLAN,
            Environment(
                "me", store, NoWeChat(), self.clock, self.store_clock, health, chance, events
            ),
        )

    def reads(self, state: SlotState, *, at: float = NOW, took_s: float = 0.0) -> bool:
        """Read the store; True when what is served changed."""
        asked_at = self.store_clock.reading()
        self.clock.advance(took_s)
        self.store_clock.observe(at, asked_at)
        return self.holding.absorb(Snapshot(state, at))

    def left_s(self) -> float:
        """How long a reader would still be served, in steps of 1 s."""
        left = 0.0
        while self.holding.served() is not None:
            self.clock.advance(1.0)
            left += 1.0
        return left


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_a_living_token_is_served(machine: Machine) -> None:
    assert machine.reads(a_state(dying(100)))
    served = machine.holding.served()
    assert served is not None
    assert (served.value, served.expires_at) == ("a token", NOW + 100)


def test_it_is_served_to_its_end_and_not_a_second_longer(machine: Machine) -> None:
    machine.reads(a_state(dying(100)))
    assert machine.left_s() == 100


@pytest.mark.parametrize(
    ("jump_s", "left_s"),
    [
        pytest.param(60.0, 40.0, id="forwards: the wall clock may be right"),
        pytest.param(-60.0, 100.0, id="backwards: monotonic time goes on"),
        pytest.param(-1e6, 100.0, id="far backwards"),
        pytest.param(1e6, 0.0, id="far forwards"),
    ],
)
def test_a_jump_of_the_wall_clock_prolongs_no_life(
    machine: Machine, jump_s: float, left_s: float
) -> None:
    machine.reads(a_state(dying(100)))
    machine.clock.jump(jump_s)
    assert machine.left_s() == left_s


def test_a_store_whose_clock_fell_back_prolongs_no_life(machine: Machine) -> None:
    machine.reads(a_state(dying(100)))
    machine.clock.advance(50)
    machine.reads(a_state(dying(100)), at=NOW - 500)
    assert machine.left_s() == 50


def test_a_slow_reading_counts_from_before_it_was_asked(machine: Machine) -> None:
    machine.reads(a_state(dying(100)), took_s=4.0)
    assert machine.left_s() == 96


def test_a_slow_first_reading_shortens_nothing_for_good(machine: Machine) -> None:
    """A machine that stood still in its first reading learns better from the next."""
    machine.reads(a_state(dying(100)), took_s=90.0)
    machine.reads(a_state(dying(100)))
    assert machine.left_s() == 100


def test_nothing_changed_is_told_as_nothing(machine: Machine) -> None:
    machine.reads(a_state(a_record()))
    assert not machine.reads(a_state(a_record()))


def test_a_condemned_token_is_served_no_more(machine: Machine) -> None:
    machine.reads(a_state(a_record()))
    assert machine.reads(condemned(a_state(a_record())))
    assert machine.holding.served() is None


def test_a_doubt_brings_the_end_forward_and_its_end_brings_it_back(machine: Machine) -> None:
    doubted = a_state(a_record(), an_intent(100, IntentOutcome.UNKNOWN))
    machine.reads(doubted)
    served = machine.holding.served()
    assert served is not None
    assert served.expires_at == NOW + 185
    assert machine.holding.doubted_since() == NOW - 100
    machine.reads(a_state(a_record()))
    served = machine.holding.served()
    assert served is not None
    assert served.expires_at == a_record().expires_at


def test_a_token_buried_here_is_not_served_whatever_the_store_says(machine: Machine) -> None:
    machine.reads(a_state(a_record()))
    machine.holding.bury(a_record().version)
    machine.reads(a_state(a_record()))
    assert machine.holding.served() is None
    assert machine.holding.must_tell_death(a_state(a_record()))


def test_a_later_proof_of_life_digs_it_out(machine: Machine) -> None:
    machine.reads(a_state(a_record()))
    machine.holding.bury(a_record().version)
    machine.clock.advance(5)
    machine.reads(probed(a_state(a_record()), -5), at=NOW + 5)
    assert machine.holding.served() is not None


def test_an_unwritten_token_is_served_beside_an_old_store(machine: Machine) -> None:
    machine.reads(a_state(dying(-1)))
    machine.holding.keep(replace(a_record(0, counter=2), version="beef"), NOW + 285)
    machine.reads(a_state(dying(-1)))
    served = machine.holding.served()
    assert served is not None
    assert (served.version, served.expires_at) == ("beef", NOW + 285)


def test_a_token_that_the_store_refused_is_dropped(machine: Machine) -> None:
    machine.reads(a_state(dying(-1)))
    machine.holding.keep(a_record(0, counter=2), NOW + 285)
    machine.holding.drop()
    assert machine.holding.served() is None


def test_a_held_token_outlives_an_emptied_store(machine: Machine) -> None:
    machine.reads(a_state(a_record(), an_intent(5)))
    machine.reads(SlotState("next life", NOW))
    assert machine.holding.served() is not None
    assert machine.holding.lost_intents() == (an_intent(5),)
    assert machine.holding.floor == 9


def test_a_new_life_s_token_takes_its_place(machine: Machine) -> None:
    machine.reads(a_state(a_record()))
    newer = replace(a_record(1), version="beef", fence=Fence("next life", 10))
    state = SlotState("next life", NOW, 10, committed=True, record=newer)
    assert machine.reads(state)
    served = machine.holding.served()
    assert served is not None
    assert served.version == "beef"
