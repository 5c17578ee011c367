"""Intents, commits and their refusal: what a call leaves behind, however it ends."""

from __future__ import annotations

from dataclasses import replace

from tests.token_service.stores.manual_clock import ManualClock
from tests.token_service.stores.slots import (
    CLASSIC,
    LANDS_S,
    LEASE_S,
    SETTLE_S,
    begun,
    granted,
    minted,
    refreshed,
)
from token_service.slot import (
    Abandonment,
    Call,
    Failure,
    FailureKind,
    Fence,
    IntentOutcome,
    Refusal,
    SlotState,
)
from token_service.stores.base import TokenStore


async def state_of(store: TokenStore) -> SlotState:
    return (await store.snapshot(CLASSIC)).state


async def test_an_announced_call_is_on_record(store: TokenStore, clock: ManualClock) -> None:
    lease = (await granted(store)).lease
    intent = await begun(store, lease)
    assert (await state_of(store)).intents == (intent,)
    assert (intent.sent_at, intent.lands_before) == (clock.now(), clock.now() + LANDS_S)


async def test_announcing_a_call_prolongs_the_lease(store: TokenStore, clock: ManualClock) -> None:
    lease = (await granted(store)).lease
    clock.advance(5)
    await begun(store, lease)
    current = (await state_of(store)).lease
    assert current is not None
    assert current.expires_at == clock.now() + LEASE_S


async def test_announcing_twice_is_announcing_once(store: TokenStore, clock: ManualClock) -> None:
    lease = (await granted(store)).lease
    first = await begun(store, lease)
    clock.advance(1)
    assert await begun(store, lease) == first
    state = await state_of(store)
    assert (state.intents, state.budget.classic) == ((first,), 1)


async def test_a_committed_token_is_read_back(store: TokenStore) -> None:
    record = await refreshed(store, "token-1")
    state = await state_of(store)
    assert (state.record, state.committed) == (record, True)


async def test_a_commit_clears_its_intent_and_gives_the_lease_back(store: TokenStore) -> None:
    await refreshed(store, "token-1")
    state = await state_of(store)
    assert (state.intents, state.lease) == ((), None)


async def test_a_commit_may_be_repeated(store: TokenStore) -> None:
    record = await refreshed(store, "token-1")
    before = await state_of(store)
    lease = (await granted(store, "b")).lease
    await store.release(CLASSIC, lease)
    again = replace(lease, holder="a", fence=record.fence)
    assert await store.commit(CLASSIC, again, record)
    assert replace(await state_of(store), counter=before.counter) == before


async def test_a_commit_after_the_lease_lapsed_is_taken_while_nobody_came_after(
    store: TokenStore, clock: ManualClock
) -> None:
    lease = (await granted(store)).lease
    intent = await begun(store, lease)
    clock.advance(LEASE_S * 4)
    assert await store.commit(CLASSIC, lease, minted(lease, intent, "token-1"))


async def test_a_commit_under_a_lower_fence_is_refused(
    store: TokenStore, clock: ManualClock
) -> None:
    slow = (await granted(store, "slow")).lease
    intent = await begun(store, slow)
    clock.advance(LEASE_S)
    winner = await refreshed(store, "winner", holder="fast")
    assert not await store.commit(CLASSIC, slow, minted(slow, intent, "loser"))
    assert (await state_of(store)).record == winner


async def test_a_commit_is_refused_as_soon_as_a_successor_was_granted(
    store: TokenStore, clock: ManualClock
) -> None:
    slow = (await granted(store, "slow")).lease
    intent = await begun(store, slow)
    clock.advance(LEASE_S)
    await granted(store, "fast")
    assert not await store.commit(CLASSIC, slow, minted(slow, intent, "loser"))
    assert (await state_of(store)).record is None


async def test_a_commit_of_another_generation_is_refused(store: TokenStore) -> None:
    lease = (await granted(store)).lease
    intent = await begun(store, lease)
    foreign = replace(lease, fence=Fence("another life", lease.fence.counter))
    assert not await store.commit(CLASSIC, foreign, minted(foreign, intent, "token-1"))
    assert (await state_of(store)).record is None


async def test_a_commit_of_another_token_under_the_same_fence_is_refused(
    store: TokenStore,
) -> None:
    record = await refreshed(store, "token-1")
    lease = (await granted(store)).lease
    mine = replace(lease, fence=record.fence)
    other = replace(record, value="token-2", version="00" * 12)
    assert not await store.commit(CLASSIC, mine, other)
    assert (await state_of(store)).record == record


async def test_a_refused_commit_leaves_an_intent(store: TokenStore, clock: ManualClock) -> None:
    slow = (await granted(store, "slow")).lease
    intent = await begun(store, slow)
    clock.advance(LEASE_S)
    await granted(store, "fast")
    await store.commit(CLASSIC, slow, minted(slow, intent, "loser"))
    (left,) = (await state_of(store)).intents
    assert (left.outcome, left.sent_at) == (IntentOutcome.REFUSED, intent.sent_at)
    assert left.settled_at == clock.now()


async def test_a_refused_commit_of_a_normal_call_leaves_nothing_new(
    store: TokenStore, clock: ManualClock
) -> None:
    slow = (await granted(store, "slow")).lease
    intent = await begun(store, slow, call=Call.NORMAL)
    clock.advance(LEASE_S)
    await granted(store, "fast")
    before = await state_of(store)
    await store.commit(CLASSIC, slow, minted(slow, intent, "loser"))
    assert await state_of(store) == before


async def test_a_commit_clears_anothers_intent_that_landed_before_it_began(
    store: TokenStore, clock: ManualClock
) -> None:
    await begun(store, (await granted(store, "dead")).lease)
    clock.advance(LANDS_S)
    await refreshed(store, "token-1", holder="b")
    assert (await state_of(store)).intents == ()


async def test_a_commit_keeps_anothers_intent_that_could_still_land(
    store: TokenStore, clock: ManualClock
) -> None:
    lease = (await granted(store, "dead")).lease
    open_one = await begun(store, lease)
    await store.release(CLASSIC, lease)
    clock.advance(LANDS_S - 1)
    await refreshed(store, "token-1", holder="b")
    assert (await state_of(store)).intents == (open_one,)


async def test_the_same_token_fetched_again_keeps_its_birth(
    store: TokenStore, clock: ManualClock
) -> None:
    first = await refreshed(store, "token-1", call=Call.NORMAL)
    clock.advance(100)
    await refreshed(store, "token-1", call=Call.NORMAL)
    record = (await state_of(store)).record
    assert record is not None
    assert (record.issued_at, record.fetched_at) == (first.issued_at, clock.now())


async def test_an_unknown_outcome_leaves_a_settled_intent(
    store: TokenStore, clock: ManualClock
) -> None:
    lease = (await granted(store)).lease
    intent = await begun(store, lease)
    clock.advance(12)
    ending = Abandonment(sent=True, unknown=True)
    await store.abandon(CLASSIC, lease, intent, ending, settle_s=SETTLE_S)
    (left,) = (await state_of(store)).intents
    assert (left.outcome, left.settled_at) == (IntentOutcome.UNKNOWN, clock.now())
    assert left.lands_before == clock.now() + SETTLE_S


async def test_an_abandonment_that_is_repeated_later_changes_nothing_more(
    store: TokenStore, clock: ManualClock
) -> None:
    lease = (await granted(store)).lease
    intent = await begun(store, lease)
    ending = Abandonment(sent=True, unknown=True)
    await store.abandon(CLASSIC, lease, intent, ending, settle_s=SETTLE_S)
    before = await state_of(store)
    clock.advance(600)
    await store.abandon(CLASSIC, lease, intent, ending, settle_s=SETTLE_S)
    assert await state_of(store) == before


async def test_an_unknown_outcome_of_a_normal_call_leaves_no_intent(store: TokenStore) -> None:
    lease = (await granted(store)).lease
    intent = await begun(store, lease, call=Call.NORMAL)
    ending = Abandonment(sent=True, unknown=True)
    await store.abandon(CLASSIC, lease, intent, ending, settle_s=SETTLE_S)
    assert (await state_of(store)).intents == ()


async def test_a_known_failure_clears_the_intent_and_frees_the_lease(
    store: TokenStore, clock: ManualClock
) -> None:
    lease = (await granted(store)).lease
    intent = await begun(store, lease)
    failure = Failure(FailureKind.OPERATOR, clock.now(), clock.now() + 600, 1, "wrong", 40125)
    ending = Abandonment(sent=True, unknown=False, failure=failure)
    await store.abandon(CLASSIC, lease, intent, ending, settle_s=SETTLE_S)
    state = await state_of(store)
    assert (state.intents, state.lease, state.failure) == ((), None, failure)


async def test_an_overtaken_holders_failure_is_no_news(
    store: TokenStore, clock: ManualClock
) -> None:
    lease = (await granted(store, "slow")).lease
    intent = await begun(store, lease)
    clock.advance(LEASE_S)
    await granted(store, "fast")
    failure = Failure(FailureKind.TRANSIENT, clock.now(), clock.now() + 1, 1, "late")
    ending = Abandonment(sent=True, unknown=False, failure=failure)
    await store.abandon(CLASSIC, lease, intent, ending, settle_s=SETTLE_S)
    state = await state_of(store)
    assert state.failure is None
    assert state.lease is not None


async def test_a_success_forgets_the_failure_and_the_holders_refusal(
    store: TokenStore, clock: ManualClock
) -> None:
    lease = (await granted(store, "a")).lease
    intent = await begun(store, lease)
    now = clock.now()
    ending = Abandonment(
        sent=True,
        unknown=False,
        failure=Failure(FailureKind.TRANSIENT, now, now + 1, 1, "refused"),
        refusal=Refusal("a", 40164, now, now + 60),
    )
    await store.abandon(CLASSIC, lease, intent, ending, settle_s=SETTLE_S)
    await refreshed(store, "token-1", holder="a")
    state = await state_of(store)
    assert (state.failure, state.refusals) == (None, ())


async def test_each_replica_has_one_refusal_until_its_time(
    store: TokenStore, clock: ManualClock
) -> None:
    for replica in ("a", "b", "a"):
        lease = (await granted(store, replica)).lease
        intent = await begun(store, lease)
        refusal = Refusal(replica, 40164, clock.now(), clock.now() + 60)
        ending = Abandonment(sent=True, unknown=False, refusal=refusal)
        await store.abandon(CLASSIC, lease, intent, ending, settle_s=SETTLE_S)
        clock.advance(40)
    assert [refusal.replica for refusal in (await state_of(store)).refusals] == ["b", "a"]


async def test_refusals_of_replicas_long_gone_are_dropped(
    store: TokenStore, clock: ManualClock
) -> None:
    for replica in ("a", "b"):
        lease = (await granted(store, replica)).lease
        intent = await begun(store, lease)
        refusal = Refusal(replica, 40164, clock.now(), clock.now() + 60)
        ending = Abandonment(sent=True, unknown=False, refusal=refusal)
        await store.abandon(CLASSIC, lease, intent, ending, settle_s=SETTLE_S)
        clock.advance(60)
    assert [refusal.replica for refusal in (await state_of(store)).refusals] == ["b"]
