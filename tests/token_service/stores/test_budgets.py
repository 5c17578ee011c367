"""What is counted of the calls of a day."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.token_service.stores.manual_clock import START, ManualClock
from tests.token_service.stores.slots import (
    CLASSIC,
    SETTLE_S,
    STABLE,
    begun,
    granted,
    refreshed,
)
from token_service.slot import Abandonment, Budget, Call, Slot
from token_service.stores.base import TokenStore

UTC8_MIDNIGHT = datetime(2025, 10, 9, 16, tzinfo=UTC).timestamp()


async def budget_of(store: TokenStore, slot: Slot = CLASSIC) -> Budget:
    return (await store.snapshot(slot)).state.budget


async def abandoned(store: TokenStore, *, sent: bool) -> None:
    lease = (await granted(store)).lease
    intent = await begun(store, lease)
    ending = Abandonment(sent=sent, unknown=False)
    await store.abandon(CLASSIC, lease, intent, ending, settle_s=SETTLE_S)
    await store.abandon(CLASSIC, lease, intent, ending, settle_s=SETTLE_S)


async def test_each_kind_of_call_is_counted_apart(store: TokenStore, clock: ManualClock) -> None:
    await refreshed(store, "1", slot=STABLE, call=Call.NORMAL)
    await refreshed(store, "1", slot=STABLE, call=Call.NORMAL)
    await refreshed(store, "2", slot=STABLE, call=Call.FORCED)
    budget = await budget_of(store, STABLE)
    assert (budget.normal, budget.forced, budget.classic) == (2, 1, 0)
    assert budget.last_forced_at == clock.now()


async def test_a_failed_call_that_was_sent_is_spent(store: TokenStore) -> None:
    await abandoned(store, sent=True)
    assert (await budget_of(store)).classic == 1


async def test_a_call_that_was_not_sent_is_refunded_once(store: TokenStore) -> None:
    await refreshed(store, "token-1")
    await abandoned(store, sent=False)
    assert (await budget_of(store)).classic == 1


async def test_the_day_changes_at_midnight_in_china(store: TokenStore, clock: ManualClock) -> None:
    clock.advance(UTC8_MIDNIGHT - START - 1)
    await refreshed(store, "token-1")
    await refreshed(store, "token-2")
    assert (await budget_of(store)).classic == 2
    clock.advance(1)
    await refreshed(store, "token-3")
    assert (await budget_of(store)).classic == 1


async def test_the_last_forced_call_is_remembered_over_midnight(
    store: TokenStore, clock: ManualClock
) -> None:
    clock.advance(UTC8_MIDNIGHT - START - 1)
    await refreshed(store, "token-1", call=Call.FORCED)
    forced_at = clock.now()
    clock.advance(1)
    await refreshed(store, "token-2", call=Call.NORMAL)
    budget = await budget_of(store)
    assert (budget.forced, budget.last_forced_at) == (0, forced_at)


async def test_a_call_of_yesterday_is_not_refunded_today(
    store: TokenStore, clock: ManualClock
) -> None:
    clock.advance(UTC8_MIDNIGHT - START - 1)
    lease = (await granted(store)).lease
    intent = await begun(store, lease)
    clock.advance(1)
    ending = Abandonment(sent=False, unknown=False)
    await store.abandon(CLASSIC, lease, intent, ending, settle_s=SETTLE_S)
    await refreshed(store, "token-1")
    assert (await budget_of(store)).classic == 1
