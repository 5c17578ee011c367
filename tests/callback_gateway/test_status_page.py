from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from callback_gateway import targets
from callback_gateway.accounts import Mode
from callback_gateway.authenticity import Forgery
from callback_gateway.delivery import outcome, verdict
from callback_gateway.inbox.durability import Durability
from callback_gateway.inbox.records import Arrival, Kind, Selection
from callback_gateway.recent import Speed, Traffic
from callback_gateway.status_page import (
    BRAND,
    LETTER_TEMPLATE,
    TEMPLATE,
    LetterPage,
    content,
    letter_content,
    letter_row,
)
from tests.callback_gateway.internal_world import OWNER, USER, World, internal_world
from tests.callback_gateway.settings_files import ADMIN, ADMIN_SHA, SECRETS
from tests.callback_gateway.test_internal import audited, log
from tests.docs.blocks import ROOT, rows
from tests.docs.pages import cells
from tests.runtime.page_rendering import (
    HOSTILE,
    hostile,
    is_harmless,
    missing_words,
    rendered,
    uneven_words,
    words_of,
)
from tests.runtime.pages_world import Browser
from zhongkong.runtime.storage import StoreUnavailable

__all__ = ["log"]

WORDS = words_of(BRAND)
CHINESE = words_of(BRAND, "zh")
NOW = "2026-01-02T03:04:05Z"
PAGE = ROOT / "docs" / "callback-gateway.md"
NOTHING = LetterPage([])
KEPT = frozenset(
    {"now", "accepted_at", "died_at", "at", "old_token_used_at", "old_aes_key_used_at"}
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with internal_world(tmp_path) as it:
        yield it


async def logged_in(world: World) -> Browser:
    browser = Browser(world.session, world.port)
    await browser.log_in(ADMIN)
    return browser


def document(**changes: Any) -> dict[str, Any]:
    return {
        "now": NOW,
        "replica": "replica-1",
        "ready": True,
        "not_ready_because": None,
        "store": {
            "address": "sqlite:///x.db",
            "reachable": True,
            "durability": "disk",
            "keeps_durability": True,
        },
        "spool": None,
        "inbox": {"events": 3, "limit": 100},
        "config": {"refused_because": [], "unusable_secrets": [], "notices": [], "routes": 2},
        "failing_tasks": {},
        "accounts": [account()],
        "targets": [target()],
        "unreadable_events": 0,
        **changes,
    }


def account(**changes: Any) -> dict[str, Any]:
    return {
        "account": "shop",
        "appid": "wx0123456789abcdef",
        "mode": "safe",
        "answered": {"new": 7, "reply": 9},
        "refused": {"signature": 1},
        "retries": 2,
        "joins": 1,
        "duplicates": 1,
        "tokens": 2,
        "old_token_used_at": "2026-01-02T03:04:00Z",
        "aes_keys": 1,
        "old_aes_key_used_at": None,
        "clock_skew_s": None,
        **changes,
    }


def target(**changes: Any) -> dict[str, Any]:
    return {
        "target": "trading",
        "configured": True,
        "disabled": False,
        "waiting": 1,
        "leased": 0,
        "dead": 0,
        "oldest_due_s": 61.0,
        **changes,
    }


def letter(**changes: Any) -> dict[str, Any]:
    return {
        "id": "evt_1.trading",
        "event_id": "evt_1",
        "account": "shop",
        "target": "trading",
        "kind": "notify",
        "reason": "exhausted",
        "accepted_at": "2026-01-02T03:00:00Z",
        "died_at": "2026-01-02T03:04:00Z",
        "attempts": [{"at": "2026-01-02T03:00:01Z", "took_s": 0.5, "outcome": "http_500"}],
        **changes,
    }


def shown(given: dict[str, Any], traffic: Traffic | None = None) -> dict[str, Any]:
    return content(given, traffic or Traffic(), NOTHING, WORDS)


def test_an_account_shows_what_came_of_its_callbacks() -> None:
    (card,) = shown(document(), Traffic(60.0, {"shop": 4.25}))["accounts"]

    assert card.a_minute == "4.2"
    assert card.answered == (("reply", 9), ("new", 7))
    assert (card.refused, card.retries, card.joins) == ((("signature", 1),), 2, 1)


def test_the_previous_token_s_last_use_is_told_where_there_is_one() -> None:
    (card,) = shown(document())["accounts"]

    assert getattr(card.old_token, "told", None) == "5 s ago"
    assert card.old_aes_key == "only one is configured"


def test_speeds_are_told_in_the_unit_that_fits() -> None:
    speeds = {"new": Speed(9, 0.001, 2.5), "reply": Speed(1, None, None)}
    rows = shown(document(), Traffic(60.0, {}, speeds))["speeds"]

    assert [(row.outcome, row.half_within, row.most_within) for row in rows] == [
        ("new", "1 ms", "2.5 s"),
        ("reply", "longer than 60 s", "longer than 60 s"),
    ]


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"accounts": [account(clock_skew_s=700.0)]}, "A callback's clock differs from ours"),
        ({"targets": [target(disabled=True)]}, "A target answered 410 and gets no more"),
        ({"targets": [target(dead=3)]}, "Deliveries were given up"),
        ({"unreadable_events": 2}, "Genuine callbacks could not be read"),
        ({"inbox": {"events": 100, "limit": 100}}, "The inbox is full"),
        ({"spool": {"address": "x", "events": 4}}, "Callbacks wait in the spool"),
    ],
)
def test_what_somebody_has_to_see_to_stands_on_top(changes: dict[str, Any], title: str) -> None:
    assert [trouble.title for trouble in shown(document(**changes))["troubles"]] == [title]


def test_a_store_that_is_away_leaves_the_rest_readable() -> None:
    given = document(
        inbox=None,
        targets=[target(waiting=None, leased=None, dead=None, oldest_due_s=None)],
        store={**document()["store"], "reachable": False, "keeps_durability": False},
    )
    page = content(given, Traffic(), LetterPage(None), WORDS)

    assert [trouble.title for trouble in page["troubles"]] == [
        "The store can't be reached",
        "The store can't keep what `durability` promises",
    ]
    assert "The store can&#39;t be asked now." in rendered(BRAND, TEMPLATE, page)


def test_hostile_texts_in_every_field_stay_texts() -> None:
    given = document(
        accounts=[account(clock_skew_s=1.0)],
        spool={"address": "x", "events": 1},
        targets=[target(dead=1, disabled=True)],
        failing_tasks={"x": "x"},
        config={"refused_because": ["x"], "unusable_secrets": ["x"], "notices": ["x"], "routes": 1},
    )
    evil = hostile(given, KEPT)
    evil["accounts"][0]["answered"] = {HOSTILE: 1}
    letters = LetterPage([hostile(letter(), KEPT)], HOSTILE, HOSTILE, HOSTILE)
    traffic = Traffic(60.0, {HOSTILE: 1.0}, {HOSTILE: Speed(1, 1.0, 1.0)})
    text = rendered(BRAND, TEMPLATE, content(evil, traffic, letters, WORDS, ""))
    one = letter_content(hostile(letter(), KEPT), HOSTILE, WORDS, evil["now"])

    assert "&lt;script&gt;alert(1)" in text
    assert is_harmless(text)
    assert is_harmless(rendered(BRAND, LETTER_TEMPLATE, one))


def test_every_text_is_there_in_both_languages() -> None:
    assert missing_words(BRAND) == set()
    assert uneven_words(BRAND) == set()


def constants(module: ModuleType) -> set[str]:
    return {
        value
        for name, value in vars(module).items()
        if name.isupper() and not name.startswith("_") and isinstance(value, str)
    }


def test_every_value_of_ours_has_a_name_in_both_languages() -> None:
    table = rows(PAGE)
    start = next(at for at, row in enumerate(table) if row[0] == "`outcome` of a try")
    end = next(at for at, row in enumerate(table) if at > start and row[0] == "event")
    answers = cells(table[start + 1 : end], 0)
    assert {"replied", "withheld", "store_full"} <= answers
    for group, values in (
        ("outcome", answers),
        ("refusal", Forgery),
        ("attempt", constants(outcome)),
        ("why", {*constants(verdict), outcome.INVALID_REPLY}),
        ("delivery", Kind),
        ("durability", Durability),
        ("mode", Mode),
    ):
        for value in values:
            english, chinese = BRAND.table[f"{group}.{value}"]
            assert english
            assert re.search("[\u4e00-\u9fff]", chinese)


def test_a_chinese_page_tells_answers_refusals_and_dead_letters_in_chinese() -> None:
    (card,) = content(
        document(accounts=[account(answered={"replied": 2, "withheld": 1})]),
        Traffic(),
        NOTHING,
        CHINESE,
    )["accounts"]
    assert card.answered == (("目标已回复", 2), ("暂不应答，等待微信重试", 1))
    assert card.refused == (("签名错误", 1),)

    tried = [{"at": "x", "took_s": 0.5, "outcome": each} for each in ("http_503", "timeout")]
    row = letter_row(letter(kind="reply", reason="window_closed", attempts=tried), CHINESE, NOW)
    assert (row.kind, row.reason) == ("回复", "回复窗口已过")
    assert row.attempts == ("x · HTTP 503，用时 0.5 秒", "x · 超时，用时 0.5 秒")


def test_what_a_callback_that_can_t_be_read_was_buried_for_stays_as_it_was_said() -> None:
    row = letter_row(letter(reason="no FromUserName in my_callback"), CHINESE, NOW)
    assert row.reason == "no FromUserName in my_callback"


async def test_dead_letters_are_listed_without_their_events(world: World) -> None:
    await world.bury("evt_1")
    page = await (await logged_in(world)).get()

    assert "evt_1.trading" in page.text
    assert USER not in page.text


async def test_the_event_is_shown_to_who_logged_in_and_that_is_audited(
    world: World, log: io.StringIO
) -> None:
    identity = await world.bury("evt_1")
    page = await (await logged_in(world)).get(f"/letters/{identity}")

    assert page.status == 200
    assert USER in page.text
    assert [line["what"] for line in audited(log)] == ["dead_letter_shown"]


async def test_without_a_configured_key_no_event_is_shown(tmp_path: Path) -> None:
    async with internal_world(tmp_path, key=None) as world:
        identity = await world.bury("evt_1")
        browser = Browser(world.session, world.port)
        pages = [await browser.get(), await browser.get(f"/letters/{identity}")]

    assert [page.status for page in pages] == [200, 200]
    assert USER not in pages[1].text
    assert "<form" not in pages[0].text + pages[1].text


async def test_a_letter_that_isn_t_there_is_said_so(world: World) -> None:
    page = await (await logged_in(world)).get("/letters/evt_9.x")

    assert page.status == 404
    assert "No dead letter has this id." in page.text


async def test_one_letter_or_those_of_a_target_are_redriven_and_dropped(
    world: World, log: io.StringIO
) -> None:
    first = await world.bury("evt_1")
    await world.bury("evt_2")
    await world.bury("evt_3", "audit")
    browser = await logged_in(world)
    csrf = (await browser.get()).csrf
    await browser.post("/forms/redrive", {"csrf": csrf, "id": first})
    told = (await browser.get()).text
    await browser.post("/forms/drop", {"csrf": csrf, "target": "trading"})

    assert "1 are due again." in told
    assert world.woken == ["woken"]
    left = (await world.inbox.dead_letters(Selection())).letters
    assert [each.id for each in left] == ["evt_3.audit"]
    assert [line["what"] for line in audited(log)] == [
        "dead_letters_redriven",
        "dead_letters_dropped",
    ]


@pytest.mark.parametrize("form", ["redrive", "drop"])
@pytest.mark.parametrize("fields", [{}, {"id": ""}, {"id": "a b"}, {"target": ""}, {"all": "true"}])
async def test_a_form_that_doesn_t_say_which_changes_nothing(
    world: World, form: str, fields: dict[str, str]
) -> None:
    await world.bury("evt_1")
    browser = await logged_in(world)
    csrf = (await browser.get()).csrf
    await browser.post(f"/forms/{form}", {"csrf": csrf, **fields})

    assert "Not done:" in (await browser.get()).text
    assert len((await world.inbox.dead_letters(Selection())).letters) == 1


async def test_a_disabled_target_is_enabled(world: World) -> None:
    trading: targets.Target = world.rules.targets["trading"]
    await world.inbox.disable("trading", trading.fingerprint)
    await world.watch.look()
    browser = await logged_in(world)
    page = await browser.get()
    await browser.post("/forms/enable", {"csrf": page.csrf, "target": "trading"})

    assert "/forms/enable" in page.text
    assert await world.inbox.disabled() == {}
    assert "trading gets deliveries again." in (await browser.get()).text


async def test_nothing_is_changed_without_login_or_token(world: World) -> None:
    await world.bury("evt_1")
    stranger, known = Browser(world.session, world.port), await logged_in(world)
    for form in ("redrive", "drop", "enable"):
        assert (await stranger.post(f"/forms/{form}", {"target": "trading"})).status in {303, 401}
        assert (await known.post(f"/forms/{form}", {"target": "trading"})).status == 403

    assert len((await world.inbox.dead_letters(Selection())).letters) == 1


async def test_many_letters_are_paged_and_narrowed(world: World) -> None:
    for number in range(13):
        await world.bury(f"evt_{number:02}", "audit" if number == 12 else "trading")
    browser = await logged_in(world)
    first = await browser.get("/?target=trading")
    link = first.text.split('href="/?target=trading&amp;after=')[1].split("#")[0]
    second = await browser.get(f"/?target=trading&after={link}")

    assert "evt_12.audit" not in first.text
    assert "evt_09.trading" in first.text
    assert ("evt_10.trading" in second.text, "evt_09.trading" in second.text) == (True, False)


async def test_the_page_stands_while_the_store_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_args: object, **_named: object) -> None:
        raise StoreUnavailable("gone")

    browser = await logged_in(world)
    monkeypatch.setattr(world.inbox, "dead_letters", away)
    page = await browser.get()

    assert page.status == 200
    assert "The store can&#39;t be asked now." in page.text


async def test_the_pages_hold_no_secret(world: World) -> None:
    world.metrics.answered("shop", "new", 0.001)
    world.metrics.old_key_used("shop", "token")
    identity = await world.bury("evt_1")
    await world.inbox.accept([Arrival("bad_4", "shop", b"{}", malformed="no XML")], owner=OWNER)
    await world.watch.look()
    browser = await logged_in(world)
    paths = ("/", "/?lang=zh", "/fragment", f"/letters/{identity}", "/login")
    pages = [await browser.get(path) for path in paths]
    text = "".join(page.text + json.dumps(dict(page.headers)) for page in pages)

    digests = [hashlib.sha256(secret.encode()).hexdigest() for secret in SECRETS.values()]
    urls = [each.url for each in world.rules.targets.values()]
    kept = [*SECRETS.values(), *digests, *urls, ADMIN, ADMIN_SHA, "whsec_"]
    assert [secret for secret in kept if secret in text] == []
    assert "evt_1.trading" in text
