"""Claims: who took which menu up when, for longer than the claimants live."""

from __future__ import annotations

from menu_worker.store.base import CLAIMS_KEPT, Claim, MenuStore, Standing
from tests.menu_worker.store.conftest import SHOP, Open
from tests.token_service.stores.manual_clock import START, ManualClock


async def test_a_claim_is_made_at_the_stores_time(store: MenuStore) -> None:
    assert await store.claim(SHOP, "a", "red") == Standing((Claim("a", "red", START),), START)


async def test_the_same_menu_keeps_its_time(store: MenuStore, clock: ManualClock) -> None:
    await store.claim(SHOP, "a", "red")
    clock.advance(3600)
    again = await store.claim(SHOP, "a", "red")
    assert again == Standing((Claim("a", "red", START),), START + 3600)


async def test_another_menu_takes_the_present(store: MenuStore, clock: ManualClock) -> None:
    await store.claim(SHOP, "a", "red")
    clock.advance(60)
    await store.claim(SHOP, "a", "blue")
    clock.advance(60)
    back = await store.claim(SHOP, "a", "red")
    assert back.claims == (Claim("a", "red", START + 120),)


async def test_every_instance_has_one_claim(store: MenuStore, clock: ManualClock) -> None:
    await store.claim(SHOP, "b", "red")
    clock.advance(1.5)
    await store.claim(SHOP, "a", "red")
    seen = await store.standing(SHOP)
    assert seen.claims == (Claim("a", "red", START + 1.5), Claim("b", "red", START))


async def test_accounts_dont_see_each_others_claims(store: MenuStore) -> None:
    await store.claim(SHOP, "a", "red")
    assert (await store.standing("bank")).claims == ()


async def test_the_oldest_claims_go_first(store: MenuStore, clock: ManualClock) -> None:
    for number in range(CLAIMS_KEPT + 7):
        clock.advance(1)
        await store.claim(SHOP, f"pod-{number}", f"menu {number}")
    kept = {claim.instance for claim in (await store.standing(SHOP)).claims}
    assert kept == {f"pod-{number}" for number in range(7, CLAIMS_KEPT + 7)}


async def test_of_claims_made_at_once_the_lower_names_go_first(store: MenuStore) -> None:
    for number in reversed(range(CLAIMS_KEPT + 2)):
        await store.claim(SHOP, f"pod-{number:03}", "red")
    kept = [claim.instance for claim in (await store.standing(SHOP)).claims]
    assert kept == [f"pod-{number:03}" for number in range(2, CLAIMS_KEPT + 2)]


async def test_the_latest_claim_is_kept_however_often_others_restart(
    store: MenuStore, clock: ManualClock
) -> None:
    await store.claim(SHOP, "first", "red")
    clock.advance(60)
    await store.claim(SHOP, "latest", "blue")
    for _ in range(CLAIMS_KEPT * 2):
        clock.advance(60)
        await store.claim(SHOP, "first", "red")
    assert Claim("latest", "blue", START + 60) in (await store.standing(SHOP)).claims


async def test_a_claim_outlives_its_process(open_store: Open, clock: ManualClock) -> None:
    before = await open_store()
    await before.claim(SHOP, "pod", "red")
    await before.close()
    clock.advance(3600)
    after = await open_store()
    assert (await after.claim(SHOP, "pod", "red")).claims == (Claim("pod", "red", START),)


async def test_a_dropped_claim_of_a_running_worker_never_becomes_the_latest(
    open_store: Open, clock: ManualClock
) -> None:
    worker, commands = await open_store(), await open_store()
    await worker.claim(SHOP, "worker", "red")
    for number in range(CLAIMS_KEPT + 1):
        clock.advance(60)
        await commands.claim(SHOP, f"command-{number}", "blue")
    clock.advance(60)
    standing = await worker.claim(SHOP, "worker", "red")
    assert max(standing.claims, key=lambda claim: claim.claimed_at).fingerprint == "blue"
