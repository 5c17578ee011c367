from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.page_rendering import (
    hostile,
    is_harmless,
    missing_words,
    rendered,
    uneven_words,
    words_of,
)
from tests.runtime.pages_world import ADMIN, Browser
from tests.token_service.fake_source import NOW
from tests.token_service.running import KEY, running, wechat, write_config
from tests.token_service.statuses import REFUSED, WRONG_SECRET, status
from token_service.freeze import Freeze, Way
from token_service.keys import digest_of_key
from token_service.obstacles import Reason
from token_service.served import Alarm, SlotStatus
from token_service.slot import Call, Cause, Kind, Mode
from token_service.status import ProcessStatus, status_document
from token_service.status_page import BRAND, TEMPLATE, ClientRow, content
from zhongkong.emulator.world import DEFAULT_ACCOUNT

WORDS = words_of(BRAND)
ORDERS = ClientRow(
    "orders", "shop", "access_token", "read", "/cgi-bin/**", "opaque", (9, 60), False
)
KEPT = frozenset({"now", "at", "until", "retry_at", "issued_at", "expires_at", "next_refresh_at",
                  "in_doubt_since", "last_foreign_refresh_at"})  # fmt: skip


def document(*slots: SlotStatus, **process: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "replica": "replica-1",
        "replicas": frozenset({"replica-1"}),
        "store": "sqlite:///x.db",
        "store_reachable": True,
        "readiness": None,
        "waiting": 0,
        "waiting_limit": 100,
    }
    return status_document(ProcessStatus(**{**plain, **process}), list(slots), NOW + 1800)


def shown(*slots: SlotStatus, query: str = "", **process: Any) -> dict[str, Any]:
    return content(document(*slots, **process), [ORDERS], WORDS, query)


def titles(page: dict[str, Any]) -> list[str]:
    return [trouble.title for trouble in page["troubles"]]


def test_a_token_s_age_and_life_are_shown_as_a_bar() -> None:
    (card,) = shown(status(expires_in_s=5400))["tokens"]

    assert (card.age, card.life.share, card.life.tone) == ("30 min 0 s", 75, "good")
    assert card.life.told == "1 h 30 min of 2 h 0 min"
    assert card.expires is not None
    assert card.expires.told == "in 1 h 30 min"


def test_cause_budget_and_next_refresh_are_told() -> None:
    (card,) = shown(status())["tokens"]

    assert (card.cause, card.call) == ("there was none", "normal call")
    assert [(name, bar.told) for name, bar in card.budgets] == [
        ("normal call", "3 / 500"),
        ("forced refresh", "1 / 20"),
    ]
    assert card.next_refresh is not None
    assert card.next_refresh.told == "in 1 h 26 min"


def test_a_token_in_doubt_says_since_when() -> None:
    (card,) = shown(status(in_doubt_since=NOW + 1790))["tokens"]

    assert card.doubt is not None
    assert (card.doubt.told, card.life.tone) == ("10 s ago", "warn")


def test_what_an_operator_must_do_is_told_once() -> None:
    page = shown(status(failure=WRONG_SECRET, alarms=(Alarm.OPERATOR_ERROR,)))

    (trouble,) = page["troubles"]
    assert "errcode 40125" in trouble.detail
    assert trouble.remedy
    assert trouble.tone == "bad"


def test_a_refused_address_names_the_address_and_the_remedy() -> None:
    page = shown(status(refusals=(REFUSED,), alarms=(Alarm.ADDRESS_REFUSED,)))

    (trouble,) = page["troubles"]
    assert "203.0.113.7" in trouble.detail
    assert trouble.remedy


def test_foreign_refreshes_are_counted_and_explained() -> None:
    page = shown(
        status(
            foreign_refreshes=2,
            last_foreign_refresh_at=NOW + 1740,
            alarms=(Alarm.FOREIGN_REFRESH,),
        )
    )

    assert page["tokens"][0].foreign_refreshes == 2
    assert titles(page) == ["Somebody else refreshed the token"]
    assert page["troubles"][0].remedy


def test_troubles_of_the_process_stand_with_those_of_the_tokens() -> None:
    page = shown(
        store_reachable=False,
        config_problems=("x.yaml:3: bad",),
        secret_problems=("secret gone",),
        failing_tasks={"rotation": "OSError"},
        notices=("a notice",),
    )

    assert len(page["troubles"]) == 4
    assert page["notices"] == ["a notice"]


@pytest.mark.parametrize(
    ("way", "told"),
    [
        (Way.OUT, "copied to redis://new:6379/0"),
        (Way.IN, "filled from redis://new:6379/0"),
    ],
)
def test_a_frozen_store_is_told_once_and_not_for_every_token(way: Way, told: str) -> None:
    alarmed = status(alarms=(Alarm.STORE_FROZEN,))
    page = shown(alarmed, alarmed, freeze=Freeze("copy-1", way, "redis://new:6379/0", NOW, None))

    (trouble,) = page["troubles"]
    assert trouble.title == "The store is frozen"
    assert told in trouble.detail
    assert "token-service store thaw" in trouble.remedy


def test_an_account_in_trouble_stands_before_the_others() -> None:
    page = shown(status("a"), status("b", live=False, expires_at=None), status("c"))

    assert [card.account for card in page["tokens"]] == ["b", "a", "c"]


def test_thousands_of_accounts_are_bounded_and_can_be_filtered() -> None:
    many = [status(f"shop-{number}") for number in range(3000)]

    assert (len(shown(*many)["tokens"]), shown(*many)["left_off"]) == (100, 2900)
    assert [card.account for card in shown(*many, query="shop-2999")["tokens"]] == ["shop-2999"]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("may_act", [True, False])
def test_every_state_can_be_rendered(language: str, *, may_act: bool) -> None:
    slots = [
        status(),
        status(failure=WRONG_SECRET, refusals=(REFUSED,), alarms=tuple(Alarm)),
        status(
            live=False, version=None, issued_at=None, expires_at=None, next_refresh_at=None,
            last_cause=None, last_call=None, waiting_for="backing_off", expires_in_s=0,
        ),
    ]  # fmt: skip
    page = content(document(*slots, readiness="starting"), [ORDERS], words_of(BRAND, language))
    text = rendered(BRAND, TEMPLATE, page, language=language, may_act=may_act)

    assert ("/forms/revoke" in text) is may_act


def test_hostile_texts_in_every_field_stay_texts() -> None:
    slots = [status(failure=WRONG_SECRET, refusals=(REFUSED,), alarms=(Alarm.PARKED,))]
    given = document(*slots, notices=("x",), config_problems=("x",), failing_tasks={"x": "x"})
    evil = hostile(given, KEPT)
    text = evil["replica"]
    client = ClientRow(text, text, text, text, text, text, None, revoked=False)
    text = rendered(BRAND, TEMPLATE, content(evil, [client], WORDS, evil["replica"][:20]))

    assert is_harmless(text)
    text = rendered(BRAND, TEMPLATE, content(evil, [client], WORDS))
    assert "&lt;script&gt;alert(1)" in text
    assert is_harmless(text)


def test_every_value_of_the_platform_has_a_name_in_both_languages() -> None:
    for group, values in (
        ("alarm", Alarm),
        ("cause", Cause),
        ("call", Call),
        ("kind", Kind),
        ("mode", Mode),
        ("wait", Reason),
    ):
        for value in values:
            assert f"{group}.{value}" in BRAND.table


def test_every_text_is_there_in_both_languages() -> None:
    assert missing_words(BRAND) == set()
    assert uneven_words(BRAND) == set()


async def test_the_pages_of_a_whole_day_hold_no_secret(tmp_path: Path) -> None:
    extra = f"admin_key_sha256: {digest_of_key(ADMIN)}\n"
    async with wechat() as emulator:
        path = write_config(tmp_path, emulator.port, verbs="read, report, force", extra=extra)
        async with running(path) as it:
            browser = Browser(it.session, it.internal_port)
            await browser.log_in()
            values = [(await it.token())[1]["value"]]
            pages = [await browser.get()]
            headers = {"Authorization": f"Bearer {KEY}"}
            url = f"http://127.0.0.1:{it.port}/v1/accounts/shop/tokens/access_token/rotations"
            async with it.session.post(url, headers=headers) as response:
                values.append((await response.json(content_type=None))["value"])
            pages += [await browser.get("/?lang=zh"), await browser.get("/fragment?lang=en")]
            fields = {"csrf": pages[0].csrf, "client": "orders"}
            revoked = await browser.post("/forms/revoke", fields)
            pages += [await browser.get(), await browser.get("/login"), revoked]
            refused, _ = await it.token()

    text = "".join(page.text + json.dumps(dict(page.headers)) for page in pages)
    secrets = [*values, str(DEFAULT_ACCOUNT.secret), KEY, digest_of_key(KEY), ADMIN]
    assert [secret for secret in [*secrets, digest_of_key(ADMIN)] if secret in text] == []
    assert "shop" in text
    assert "orders is revoked." in pages[3].text
    assert refused == 401


async def test_a_client_that_isn_t_one_is_not_revoked(tmp_path: Path) -> None:
    extra = f"admin_key_sha256: {digest_of_key(ADMIN)}\n"
    async with (
        wechat() as emulator,
        running(write_config(tmp_path, emulator.port, extra=extra)) as it,
    ):
        browser = Browser(it.session, it.internal_port)
        await browser.log_in()
        csrf = (await browser.get()).csrf
        await browser.post("/forms/revoke", {"csrf": csrf, "client": "<b>nobody"})

        assert "Not done: No client of this name is configured." in (await browser.get()).text
