"""The history of writes, with the menus before and after each; and the last verified menu."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from menu_worker.store.base import REVISIONS_KEPT, MenuStore, Outcome, Revision, Verified
from menu_worker.store.codec import DOCUMENT_BYTES_MAX, DocumentTooLarge
from tests.menu_worker.store.conftest import SHOP, Open, begun
from tests.token_service.stores.manual_clock import START, ManualClock

BEFORE = {"button": [{"type": "view", "name": "收益", "url": "http://a.example/?b=1&c=2"}]}
AFTER = {"button": [{"name": "更多", "sub_button": [{"type": "click", "name": "😀", "key": "K"}]}]}
TOO_LARGE = {"button": [{"name": "x" * DOCUMENT_BYTES_MAX}]}


async def test_a_revision_is_kept_as_it_was_begun(store: MenuStore) -> None:
    number = await store.begin(
        SHOP, actor="apply li", reason="forced", before=BEFORE, after=AFTER, fingerprint="f00d"
    )
    expected = Revision(number, SHOP, START, "apply li", "forced", BEFORE, AFTER, "f00d")
    assert await store.revision(SHOP, number) == expected
    assert list(await store.history(SHOP)) == [expected]


async def test_what_was_begun_and_never_finished_stays_started(
    store: MenuStore, clock: ManualClock
) -> None:
    number = await begun(store)
    clock.advance(86_400)
    revision = await store.revision(SHOP, number)
    assert revision is not None
    assert (revision.outcome, revision.detail) == (Outcome.STARTED, "")


@pytest.mark.parametrize("outcome", Outcome)
async def test_how_it_ended_is_kept(store: MenuStore, outcome: Outcome) -> None:
    number, other = await begun(store), await begun(store)
    await store.finish(SHOP, number, outcome, "40016: button 个数不合法\n2 lines")
    revision, untouched = await store.revision(SHOP, number), await store.revision(SHOP, other)
    assert revision is not None
    assert untouched is not None
    assert (revision.outcome, revision.detail) == (outcome, "40016: button 个数不合法\n2 lines")
    assert untouched.outcome is Outcome.STARTED


async def test_the_newest_comes_first_and_ids_grow(store: MenuStore, clock: ManualClock) -> None:
    ids = []
    for text in ("one", "two", "three"):
        clock.advance(1)
        ids.append(await begun(store, text))
    history = await store.history(SHOP)
    assert ids == sorted(set(ids))
    assert [each.id for each in history] == ids[::-1]
    assert [each.at for each in history] == [START + 3, START + 2, START + 1]


async def test_as_many_are_shown_as_were_asked_for(store: MenuStore) -> None:
    ids = [await begun(store) for _ in range(5)]
    assert [each.id for each in await store.history(SHOP, limit=2)] == ids[:2:-1]
    assert list(await store.history(SHOP, limit=0)) == []


async def test_only_the_latest_are_kept_with_how_they_ended(store: MenuStore) -> None:
    ids = []
    for _ in range(REVISIONS_KEPT + 5):
        ids.append(await begun(store))
        await store.finish(SHOP, ids[-1], Outcome.VERIFIED)
    history = await store.history(SHOP, limit=REVISIONS_KEPT * 2)
    assert [each.id for each in history] == ids[:4:-1]
    assert {each.outcome for each in history} == {Outcome.VERIFIED}
    assert await store.revision(SHOP, ids[4]) is None
    await store.finish(SHOP, ids[4], Outcome.FAILED)
    assert await store.revision(SHOP, ids[4]) is None


async def test_accounts_have_histories_of_their_own(store: MenuStore) -> None:
    number = await begun(store)
    assert list(await store.history("bank")) == []
    assert await store.revision("bank", number) is None
    await store.finish("bank", number, Outcome.FAILED)
    revision = await store.revision(SHOP, number)
    assert revision is not None
    assert revision.outcome is Outcome.STARTED


async def test_the_last_verified_menu_is_kept(store: MenuStore, clock: ManualClock) -> None:
    assert await store.verified(SHOP) is None
    await store.set_verified(SHOP, "one", BEFORE)
    clock.advance(60)
    await store.set_verified(SHOP, "two", AFTER)
    assert await store.verified(SHOP) == Verified("two", AFTER, START + 60)
    assert await store.verified("bank") is None


async def test_history_outlives_the_process(open_store: Open) -> None:
    before = await open_store()
    number = await begun(before)
    await before.set_verified(SHOP, "one", BEFORE)
    await before.close()
    after = await open_store()
    assert [each.id for each in await after.history(SHOP)] == [number]
    assert await begun(after) > number
    assert (await after.verified(SHOP)) == Verified("one", BEFORE, START)


@pytest.mark.parametrize(("before", "after"), [(TOO_LARGE, AFTER), (BEFORE, TOO_LARGE)])
async def test_a_menu_too_large_is_refused_before_anything_is_written(
    open_store: Open, before: dict[str, object], after: dict[str, object]
) -> None:
    store = await open_store()
    with pytest.raises(DocumentTooLarge, match=rf"menu of {SHOP} has \d+ bytes .* 262144"):
        await store.begin(
            SHOP, actor="run", reason="drift", before=before, after=after, fingerprint="f"
        )
    with pytest.raises(DocumentTooLarge):
        await store.set_verified(SHOP, "f", TOO_LARGE)
    assert list(await store.history(SHOP)) == []
    assert await store.verified(SHOP) is None


async def test_mappings_of_any_kind_are_menus(open_store: Open) -> None:
    store = await open_store()
    await store.set_verified(SHOP, "f", MappingProxyType({"button": [MappingProxyType(BEFORE)]}))
    verified = await store.verified(SHOP)
    assert verified is not None
    assert verified.menu == {"button": [BEFORE]}


async def test_the_longest_story_of_a_failure_is_cut(open_store: Open) -> None:
    store = await open_store()
    number = await begun(store)
    await store.finish(SHOP, number, Outcome.FAILED, "x" * 100_000)
    revision = await store.revision(SHOP, number)
    assert revision is not None
    assert revision.detail == "x" * 2_000
