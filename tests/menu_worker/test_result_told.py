from __future__ import annotations

import re

import pytest

from menu_worker.drift import Correction, Source
from menu_worker.guards import Guard, Refused
from menu_worker.menu import Menu
from menu_worker.reconciler import DRIFT
from menu_worker.result_told import actor_told, reason_told, told
from menu_worker.result_words import KINDS, kind_of, sentence
from menu_worker.results import (
    Applied,
    Busy,
    Drifted,
    Failed,
    Guarded,
    InSync,
    Paused,
    Reason,
    Result,
    StoodDown,
    Unavailable,
    Untouched,
)
from menu_worker.status_page import BRAND
from menu_worker.steps import Plan
from menu_worker.store.base import Claim
from tests.runtime.page_rendering import words_of

ENGLISH, CHINESE = words_of(BRAND), words_of(BRAND, "zh")
PLAN = Plan("shop", "l", Menu(), (), ())
GUARDED = {
    Guard.EMPTY_DESIRED: Refused(
        Guard.EMPTY_DESIRED,
        "the desired menu is empty; set `allow_delete: true` if the live one is to be deleted",
    ),
    Guard.TOO_MUCH_REMOVED: Refused(
        Guard.TOO_MUCH_REMOVED,
        "5 of the 7 buttons last verified would be gone, more than `max_removed` (50%); "
        "`apply --force` lets it pass",
        removed=5,
        total=7,
        allowed=0.5,
    ),
}
RESULTS: list[Result] = [
    InSync(newly=True),
    InSync(newly=False, is_open=False),
    Applied(PLAN, 4),
    Applied(PLAN, 4, is_open=False),
    *(Guarded(PLAN, refused) for refused in GUARDED.values()),
    *(
        Drifted(PLAN, source, Correction(allowed=False, wait_s=wait_s, contested=contested))
        for source in Source
        for wait_s in (0, 61.4)
        for contested in (False, True)
    ),
    StoodDown(Claim("worker-2", "f", 1767323045.9)),
    Paused("admin", pending=True),
    Busy(),
    Failed("{WeChat} says no"),
    Failed("{WeChat} says no", restored=True),
    Unavailable("the store is away"),
    Untouched("shop.yaml:1:1: no menu"),
]
KEPT = re.compile(
    r"`[^`]+`|worker-2|admin|UTC|\{WeChat\} says no|the store is away|shop.yaml:1:1: no menu"
)


def test_every_kind_of_result_is_among_the_examples() -> None:
    assert {type(result) for result in RESULTS} == set(KINDS)


@pytest.mark.parametrize("result", RESULTS, ids=kind_of)
def test_in_english_it_is_what_commands_and_logs_say(result: Result) -> None:
    assert told(result, ENGLISH) == sentence(result)


@pytest.mark.parametrize("result", RESULTS, ids=kind_of)
def test_in_chinese_nothing_of_ours_is_left_in_english(result: Result) -> None:
    text = told(result, CHINESE)
    assert re.findall("[A-Za-z]+", KEPT.sub("", text)) == []
    assert re.search("[\u4e00-\u9fff]", text)


def test_a_plan_that_has_gone_stale_is_told_as_the_command_tells_it() -> None:
    stale = Guarded(PLAN, Refused(Guard.STALE_PLAN, "plan again"))
    assert told(stale, CHINESE) == "已拒绝：plan again"


@pytest.mark.parametrize("reason", [*Reason, DRIFT])
def test_every_reason_of_a_write_has_words_in_both_languages(reason: str) -> None:
    assert reason_told(reason, ENGLISH) == reason
    assert re.fullmatch("[\u4e00-\u9fff]+", reason_told(reason, CHINESE))


def test_reasons_and_people_of_another_program_stay_as_they_are() -> None:
    assert reason_told("a_rollback of 7", CHINESE) == "a_rollback of 7"
    assert actor_told("somebody", CHINESE) == "somebody"


def test_who_ran_a_command_is_told_in_the_order_of_the_language() -> None:
    assert actor_told("apply by root@host", ENGLISH) == "apply by root@host"
    assert actor_told("apply by root@host", CHINESE) == "root@host 执行 apply"
