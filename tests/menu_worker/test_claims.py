"""Of several instances with different menus the one that took its menu up last decides."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, strategies as st

from menu_worker.claims import StandDown, stand_down
from menu_worker.store.base import Claim, Standing
from menu_worker.store.memory import MemoryMenuStore
from tests.token_service.stores.manual_clock import ManualClock

OLD, NEW = Claim("pod-old", "red", 100.0), Claim("pod-new", "blue", 200.0)

Made = tuple[str, str, float]
"""Instance, fingerprint, seconds since the claim before."""

made = st.lists(
    st.tuples(
        st.sampled_from([f"pod-{n}" for n in range(6)]),
        st.sampled_from(["red", "blue", "green"]),
        st.sampled_from([0.0, 0.5, 60.0]),
    ),
    min_size=1,
    max_size=30,
)


def standing(*claims: Claim) -> Standing:
    return Standing(claims, 1000.0)


def test_who_is_alone_decides() -> None:
    assert stand_down(standing(OLD), "red") is None


def test_without_any_claim_nobody_stands_down() -> None:
    assert stand_down(standing(), "red") is None


@pytest.mark.parametrize("claims", [(OLD, NEW), (NEW, OLD)])
def test_the_latest_claim_wins_in_whatever_order_they_come(claims: tuple[Claim, ...]) -> None:
    assert stand_down(standing(*claims), "red") == StandDown(NEW)
    assert stand_down(standing(*claims), "blue") is None


def test_equal_menus_never_compete() -> None:
    same = Claim("pod-3", "red", 300.0)
    assert stand_down(standing(OLD, NEW, same), "red") is None
    assert stand_down(standing(OLD, NEW, same), "blue") == StandDown(same)


def test_a_menu_that_nobody_claims_gives_way() -> None:
    assert stand_down(standing(OLD), "green") == StandDown(OLD)


def test_of_one_moment_the_higher_name_wins() -> None:
    low, high = Claim("pod-1", "red", 100.0), Claim("pod-2", "blue", 100.0)
    assert stand_down(standing(high, low), "red") == StandDown(high)
    assert stand_down(standing(low, high), "blue") is None


@given(made)
def test_exactly_one_menu_is_decided_for(made: list[Made]) -> None:
    seen = asyncio.run(claimed(made))[0]
    going_on = {each.fingerprint for each in seen.claims if not stand_down(seen, each.fingerprint)}
    assert len(going_on) == 1


@given(made)
def test_a_restart_with_the_same_menu_never_changes_who_wins(made: list[Made]) -> None:
    before, after = asyncio.run(claimed(made))
    fingerprints = {claim.fingerprint for claim in before.claims}
    for fingerprint in fingerprints:
        assert stand_down(before, fingerprint) == stand_down(after, fingerprint)


@given(made, st.sampled_from([0.5, 3600.0]))
def test_a_menu_taken_up_anew_wins_over_all(made: list[Made], later_s: float) -> None:
    seen, _ = asyncio.run(claimed([*made, ("pod-undo", "the former one", later_s)]))
    assert stand_down(seen, "the former one") is None
    assert all(stand_down(seen, each) for each in ("red", "blue", "green"))


async def claimed(made: list[Made]) -> tuple[Standing, Standing]:
    """What stands after these claims; and after every instance restarted, twice, in any order."""
    clock = ManualClock()
    store = MemoryMenuStore(clock)
    for instance, fingerprint, seconds in made:
        clock.advance(seconds)
        before = await store.claim("shop", instance, fingerprint)
    before = await store.standing("shop")
    for claim in (*before.claims, *reversed(before.claims)):
        clock.advance(60.0)
        await store.claim("shop", claim.instance, claim.fingerprint)
    return before, await store.standing("shop")
