"""When the next try comes: a pure decision."""

from __future__ import annotations

from typing import Any

import pytest

from zhongkong.emulator.callbacks.course import PushCourse, Schedule
from zhongkong.emulator.callbacks.records import AnswerKind, Attempt, Identity
from zhongkong.emulator.callbacks.retries import Await, End, Step, Try, next_step
from zhongkong.emulator.parameters import Parameters

IDENTITY = Identity(to_user="gh", from_user="o", create_time=1, msg_type="text")


def tried(began: float, answer: str | None = None, *, after: float = 1.0, **facts: Any) -> Attempt:
    return Attempt(
        seq=1,
        at=0,
        push="p1",
        appid="wx",
        identity=IDENTITY,
        number=1,
        body_sha256="",
        body_bytes=0,
        began=began,
        ended=None if answer is None else began + after,
        answer=None if answer is None else AnswerKind(answer),
        **facts,
    )


def step(*attempts: Attempt, rules: Parameters | None = None, **course: Any) -> Step:
    schedule = Schedule.of(PushCourse(**course), rules or Parameters())
    return next_step(schedule, attempts, 100.0)


def test_the_first_try_is_at_once_or_after_the_delay() -> None:
    assert step() == Try(100)
    assert step(delay_s=7) == Try(107)


def test_a_good_answer_ends_it() -> None:
    for answer in ("success", "empty", "reply", "encrypted_reply"):
        assert step(tried(100, answer)) == End("answered")


def test_the_next_try_is_5_s_after_the_sending_of_the_one_before() -> None:
    assert step(tried(100, "timeout", after=5)) == Try(105)
    assert step(tried(100, "status")) == Try(105)
    assert step(tried(100, "connection", after=0.01)) == Try(105)
    assert step(tried(100, "malformed")) == Try(105)


def test_an_error_may_be_retried_at_once_but_not_nonsense() -> None:
    assert step(tried(100, "connection"), error_retried="at_once") == Try(101)
    assert step(tried(100, "status"), error_retried="at_once") == Try(101)
    assert step(tried(100, "malformed"), error_retried="at_once") == Try(105)


def test_there_are_three_deliveries_in_all() -> None:
    two = (tried(100, "timeout", after=5), tried(105, "timeout", after=5))
    assert step(*two) == Try(110)
    assert step(*two, tried(110, "timeout", after=5)) == End("failed")


def test_or_as_many_as_the_course_or_the_platform_says() -> None:
    assert step(tried(100, "timeout"), tries=1) == End("failed")
    assert step(tried(100, "timeout"), rules=Parameters(push_tries=1)) == End("failed")
    assert isinstance(step(*[tried(100, "timeout")] * 3, tries=4), Try)


def test_an_attack_is_tried_once() -> None:
    assert step(tried(100, "status"), attack="wrong_token") == End("failed")
    assert isinstance(step(tried(100, "status"), attack="wrong_token", tries=2), Try)


def test_nonsense_may_be_final() -> None:
    final = Parameters(push_malformed_retried=False)
    assert step(tried(100, "bad_names"), rules=final) == End("failed")
    assert step(tried(100, "timeout"), rules=final) == Try(105)


def test_the_next_try_is_due_while_the_first_is_still_open() -> None:
    assert step(tried(100), cadence_s=2) == Try(102)
    assert Schedule.of(PushCourse(cadence_s=2), Parameters()).overlapping


def test_a_kept_connection_overlaps_too() -> None:
    assert Schedule.of(PushCourse(keep_open_s=10), Parameters()).overlapping
    assert not Schedule.of(PushCourse(), Parameters()).overlapping


def test_after_the_last_try_open_ones_are_waited_for() -> None:
    assert step(tried(100), tried(105, "timeout"), tried(110, "timeout")) == Await()


def test_an_answer_to_an_earlier_try_ends_the_later_ones() -> None:
    assert step(tried(100, "success"), tried(102)) == Await()
    assert step(tried(100, "success"), tried(102, "timeout")) == End("answered")


def test_a_late_answer_is_none() -> None:
    assert step(tried(100, "late", after=7), tried(105), keep_open_s=10) == Try(110)


@pytest.mark.parametrize(("gap", "due"), [(0.0, 101.0), (3.0, 104.0)])
def test_duplicates_follow_the_good_answer(gap: float, due: float) -> None:
    one = tried(100, "success")
    assert step(one, duplicates=1, duplicate_after_s=gap) == Try(due, repeat=True)
    again = tried(due, "status", repeat=True)
    assert step(one, again, duplicates=1, duplicate_after_s=gap) == End("answered")


def test_what_a_duplicate_earns_changes_nothing() -> None:
    assert step(
        tried(100, "timeout"),
        tried(105, "success"),
        tried(106, "timeout", repeat=True),
        duplicates=1,
    ) == End("answered")


def test_without_a_good_answer_there_are_no_duplicates() -> None:
    assert step(*[tried(100, "timeout")] * 3, duplicates=2) == End("failed")
