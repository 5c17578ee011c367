from __future__ import annotations

from typing import Any

import pytest

from menu_worker.drift import Correction, Source
from menu_worker.menu import Menu
from menu_worker.results import Drifted, InSync
from menu_worker.status_page import (
    ACCOUNT_TEMPLATE,
    BRAND,
    TEMPLATE,
    account_content,
    content,
)
from menu_worker.steps import Change, ChangeKind, Plan
from menu_worker.store.base import Outcome, Revision
from tests.runtime.page_rendering import (
    HOSTILE,
    hostile,
    is_harmless,
    missing_words,
    rendered,
    uneven_words,
    words_of,
)

WORDS = words_of(BRAND)
NOW = "2026-01-02T03:04:05Z"
KEPT = frozenset({"now", "at", "verified_at", "applied_at"})
CHINESE = words_of(BRAND, "zh")
RENAMED = Change(ChangeKind.RENAMED, "default", ("查收益", "昨日收益"), "昨日", "昨日收益")


def account(**changes: Any) -> dict[str, Any]:
    return {
        "account": "shop",
        "file": "menus/shop.yaml",
        "desired": "f" * 16,
        "desired_refused_because": None,
        "result": "in_sync",
        "detail": "the live menu is the desired one",
        "at": NOW,
        "in_sync": True,
        "verified": True,
        "verified_at": "2026-01-02T03:04:00Z",
        "applied_at": None,
        "drift": None,
        "contested": False,
        "standing_down": False,
        "paused_by": None,
        "switched_off": False,
        "quota_left": {"/cgi-bin/menu/get": 9000},
        "next_pass_in_s": 61.0,
        **changes,
    }


def document(*accounts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "now": NOW,
        "instance": "worker-1",
        "ready": True,
        "not_ready_because": None,
        "store": {"address": "sqlite:///x.db"},
        "token_service": {"address": "http://127.0.0.1:8081"},
        "config": {"notices": []},
        "files": {"used": 1, "refused": {}, "unmatched": []},
        "failing_tasks": {},
        "accounts": list(accounts) or [account()],
        **changes,
    }


def revision(**changes: Any) -> Revision:
    given = {"actor": "run", "reason": "changed", "detail": "", **changes}
    return Revision(
        id=7, account="shop", at=1767323045.0, before={}, after={}, fingerprint="f",
        outcome=Outcome.VERIFIED, **given,
    )  # fmt: skip


def drifted(*changes: Change) -> Drifted:
    plan = Plan("shop", "l", Menu(), (), changes)
    return Drifted(plan, Source.CONSOLE, Correction(allowed=False, wait_s=0, contested=False))


def titles(given: dict[str, Any]) -> list[str]:
    return [trouble.title for trouble in content(given, {}, WORDS)["troubles"]]


def test_a_menu_in_sync_needs_nothing() -> None:
    page = content(document(), {}, WORDS)

    (card,) = page["menus"]
    assert (card.state, card.tone, page["troubles"]) == ("In sync", "good", [])
    assert card.verified is not None
    assert (card.verified.told, card.next_pass) == ("5 s ago", "in 1 min 1 s")


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"in_sync": False}, "The live menu is not the desired one"),
        ({"in_sync": None, "standing_down": True}, "Another worker decides this menu"),
        ({"desired_refused_because": "x"}, "The desired file can't be used"),
        ({"contested": True}, "Somebody keeps changing the live menu"),
        ({"switched_off": True}, "The menu is switched off in WeChat's console"),
        ({"quota_left": {"/cgi-bin/menu/create": 3}}, "Few calls are left for today"),
    ],
)
def test_what_somebody_has_to_see_to_stands_on_top(changes: dict[str, Any], title: str) -> None:
    assert titles(document(account(**changes))) == [title]


def test_files_that_were_refused_are_named_with_every_violation() -> None:
    refused = {"m.yaml": ["m.yaml:1:2: a", "m.yaml:3:4: b"]}
    files = {"used": 0, "refused": refused, "unmatched": ["x"]}

    assert titles(document(files=files)) == ["A file was refused"] * 2 + ["No file is there"]


def test_drift_tells_what_changed() -> None:
    page = content(document(account(in_sync=False)), {"shop": drifted(RENAMED)}, WORDS)
    text = rendered(BRAND, TEMPLATE, page)

    assert "查收益 / 昨日收益" in text
    assert "昨日</bdi> → <bdi>昨日收益" in text


def test_revisions_are_listed_with_their_ids() -> None:
    page = account_content(account(), None, [revision(), revision(actor="apply")], WORDS, NOW)

    assert [(row.id, row.actor, row.outcome) for row in page["revisions"]] == [
        (7, "run", "verified"),
        (7, "apply", "verified"),
    ]
    assert "menu-worker rollback REVISION" in rendered(BRAND, ACCOUNT_TEMPLATE, page)


def test_a_chinese_page_tells_results_reasons_and_who_wrote_in_chinese() -> None:
    page = account_content(account(), InSync(newly=False), [revision()], CHINESE, NOW)
    text = rendered(BRAND, ACCOUNT_TEMPLATE, page, language="zh")

    assert "线上菜单与期望一致" in text
    assert "the live menu" not in text
    assert [(row.actor, row.reason) for row in page["revisions"]] == [("服务自身", "文件有改动")]


def test_a_trouble_s_detail_is_in_the_page_s_language() -> None:
    given = document(account(in_sync=False))
    (trouble,) = content(given, {"shop": drifted(RENAMED)}, CHINESE)["troubles"]

    assert trouble.detail == "发生漂移（在公众平台后台被编辑），仅报告（`on_drift`）"


def test_a_paused_account_can_be_resumed_and_another_paused() -> None:
    page = content(document(account(paused_by="admin"), account(account="bank")), {}, WORDS)
    text = rendered(BRAND, TEMPLATE, page)

    assert (text.count("/forms/resume"), text.count("/forms/pause")) == (1, 1)
    assert "/forms/" not in rendered(BRAND, TEMPLATE, page, may_act=False)


def test_hostile_texts_in_every_field_stay_texts() -> None:
    files = {"used": 1, "refused": {"f": ["v"]}, "unmatched": ["p"]}
    given = document(account(paused_by="x", in_sync=False), files=files)
    evil = hostile(given, KEPT)
    evil["accounts"][0]["quota_left"] = {HOSTILE: 1}
    evil["files"]["refused"] = {HOSTILE: [HOSTILE]}
    changes = [Change(ChangeKind.RENAMED, HOSTILE, (HOSTILE,), HOSTILE, HOSTILE)]
    written = [revision(actor=HOSTILE, reason=HOSTILE, detail=HOSTILE)]
    result = drifted(*changes)
    text = rendered(BRAND, TEMPLATE, content(evil, {HOSTILE: result}, WORDS))
    one = account_content(evil["accounts"][0], result, written, WORDS, NOW)

    assert "&lt;script&gt;alert(1)" in text
    assert is_harmless(text)
    assert is_harmless(rendered(BRAND, ACCOUNT_TEMPLATE, one))


def test_every_text_is_there_in_both_languages() -> None:
    assert missing_words(BRAND) == set()
    assert uneven_words(BRAND) == set()
