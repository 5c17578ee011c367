"""The judge notes what it must, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.simulation.door import Door
from tests.simulation.loop import EPOCH, run
from tests.simulation.test_doors import PLAN, SLOT, Doorstep, at_the_door
from token_service.served import Served
from token_service.slot import (
    Call,
    Cause,
    Condemned,
    Fence,
    Lease,
    SlotState,
    TokenRecord,
)

LIFE_S = 900.0


def record(step: Doorstep, counter: int = 1, at: float = EPOCH) -> TokenRecord:
    """A living token, stored under this grant."""
    value = step.model.token(SLOT.appid, PLAN.secret(), at)["access_token"]
    return TokenRecord(
        value=str(value),
        version=str(value)[-16:],
        issued_at=at,
        expires_at=at + LIFE_S,
        fetched_at=at,
        fence=Fence("life", counter),
        call=Call.CLASSIC,
        cause=Cause.PLANNED,
    )


def served(token: TokenRecord) -> Served:
    return Served(SLOT, token.value, token.version, token.issued_at, token.expires_at)


def lease(holder: str, counter: int = 9) -> Lease:
    return Lease(holder, Fence("life", counter), EPOCH + 100)


def state(step: Doorstep, **fields: object) -> SlotState:
    """What the store holds now."""
    held = replace(SlotState("life", EPOCH, counter=9), **fields)  # type: ignore[arg-type]
    step.inner._states[SLOT] = held
    return held


@at_the_door
async def test_a_living_token_in_a_readers_hand_is_no_violation(step: Doorstep) -> None:
    step.judge.sample("a", served(record(step)), Door(), PLAN)
    assert step.judge.violations == []


@at_the_door
async def test_a_dead_token_in_a_readers_hand_is_one(step: Doorstep) -> None:
    token, door = record(step), Door()
    step.model.console.kill_token(SLOT.appid, EPOCH, "classic")
    door.in_contact_since = -60.0
    step.judge.sample("a", served(token), door, PLAN)
    assert step.judge.violations == ["at 0.0 s: a handed out a dead token"]


@at_the_door
async def test_a_token_past_its_end_is_one(step: Doorstep) -> None:
    token, door = replace(record(step), expires_at=EPOCH - 5), Door()
    door.in_contact_since = -60.0
    step.judge.sample("a", served(token), door, PLAN)
    assert step.judge.violations == ["at 0.0 s: a handed out a token past its end"]


@at_the_door
async def test_nothing_in_a_readers_hand_beside_a_living_token_is_one(step: Doorstep) -> None:
    door = Door()
    door.in_contact_since, step.judge.lost_at = -60.0, -60.0
    state(step, record=replace(record(step), fetched_at=EPOCH - 60))
    step.judge.sample("a", None, door, PLAN)
    assert step.judge.violations == ["at 0.0 s: a served nothing while a live token was stored"]


@at_the_door
async def test_a_second_call_in_flight_is_one(step: Doorstep) -> None:
    step.judge.lost_at = -60.0
    state(step, lease=lease("a"))
    step.judge.call_sent("a", PLAN, Call.CLASSIC)
    state(step, lease=lease("b"))
    step.judge.call_sent("b", PLAN, Call.CLASSIC)
    assert step.judge.violations == ["at 0.0 s: b sent a call while one of ['a'] was under way"]


@at_the_door
async def test_calls_in_turn_are_none(step: Doorstep) -> None:
    step.judge.lost_at = -60.0
    for name in ("a", "b"):
        state(step, lease=lease(name))
        step.judge.call_sent(name, PLAN, Call.CLASSIC)
        step.judge.call_over(name)
    assert step.judge.violations == []


@at_the_door
async def test_a_living_token_replaced_without_need_is_one(step: Doorstep) -> None:
    state(step, lease=lease("a"), record=record(step))
    step.judge.call_sent("a", PLAN, Call.CLASSIC)
    assert step.judge.violations == ["at 0.0 s: a living token with 900 s left was replaced"]


@at_the_door
async def test_a_living_token_condemned_is_one(step: Doorstep) -> None:
    condemned = Condemned(EPOCH, probed=True)
    state(step, lease=lease("a"), record=record(step), condemned=condemned)
    step.judge.call_sent("a", PLAN, Call.CLASSIC)
    assert "at 0.0 s: a living token was condemned" in step.judge.violations


@pytest.mark.parametrize(
    ("counter", "later_s", "violations"),
    [
        pytest.param(9, 60.0, 0, id="the newest grant stores a newer token"),
        pytest.param(8, 60.0, 1, id="an overtaken grant stores a newer token"),
        pytest.param(9, -60.0, 1, id="the newest grant stores an older token"),
    ],
)
def test_a_write_that_the_fence_should_have_refused_is_one(
    counter: int, later_s: float, violations: int
) -> None:
    async def scene() -> None:
        step = Doorstep()
        before = state(step, record=record(step))
        new = record(step, counter, EPOCH + later_s)
        step.judge.committed(before, replace(before, record=new))
        assert len(step.judge.violations) == violations

    run(scene())


@pytest.mark.parametrize(
    ("break_it", "violated"),
    [
        pytest.param(lambda tokens: None, False, id="all serve the same living token"),
        pytest.param(lambda tokens: tokens.update(b=None), True, id="one serves nothing"),
    ],
)
def test_replicas_that_disagree_after_the_storm_are_one(
    break_it: Callable[[dict[str, Served | None]], None], violated: bool
) -> None:
    async def scene() -> None:
        step = Doorstep()
        token = served(record(step))
        tokens: dict[str, Served | None] = {"a": token, "b": token}
        break_it(tokens)
        step.judge.converged(tokens)
        assert bool(step.judge.violations) is violated

    run(scene())


@at_the_door
async def test_a_storm_of_calls_is_one(step: Doorstep) -> None:
    step.judge.calls = 121
    step.judge.bounded(10)
    assert step.judge.violations == ["at 0.0 s: 121 token calls in 10 minutes"]


@at_the_door
async def test_a_crashed_turn_is_one(step: Doorstep) -> None:
    step.judge.turn_crashed("wx/classic", ValueError("a defect"))
    assert "crashed" in step.judge.violations[0]
