from __future__ import annotations

import orjson
import pytest
from hypothesis import given, strategies as st

from callback_gateway.delivery.outcome import DELIVERED, TIMEOUT, Outcome, answered
from callback_gateway.delivery.verdict import (
    CUT_OFF,
    EXHAUSTED,
    TARGET_GONE,
    WINDOW_CLOSED,
    hopeless_reply,
    judge_notify,
    judge_reply,
)
from callback_gateway.inbox.records import Dead, Delivery, Done, Kind, Retry

SCHEDULE = [1.0, 5.0, 30.0]
REPLY = b'{"reply": {"type": "text", "content": "\xe6\x82\xa8\xe5\xa5\xbd"}}'

statuses = st.integers(200, 999).map(answered)
failed_ones = st.sampled_from([Outcome(TIMEOUT), Outcome("connection"), Outcome("tls")])
outcomes = st.one_of(statuses, failed_ones)


def reply_delivery(*, cut_off: int = 0) -> Delivery:
    return Delivery("evt_1", "shop", "crm", Kind.REPLY, b"{}", "lease", cut_off=cut_off)


@given(outcomes, st.integers(0, 20), st.floats(0.0, 1.0, exclude_max=True))
def test_every_outcome_of_a_copy_ends_or_repeats_its_delivery(
    outcome: Outcome, failures: int, chance: float
) -> None:
    judgement = judge_notify(outcome, failures, SCHEDULE, chance)
    delivered = outcome.status is not None and 200 <= outcome.status < 300
    assert isinstance(judgement.result, Done) == delivered
    assert judgement.target_gone == (outcome.status == 410)
    if isinstance(judgement.result, Retry):
        assert failures < len(SCHEDULE)
        assert judgement.result.after_s >= SCHEDULE[failures]


@given(
    outcomes,
    st.binary(max_size=60),
    st.integers(0, 20),
    st.floats(0.0, 1.0, exclude_max=True),
    st.floats(-1e6, 1e6),
)
def test_a_reply_is_repeated_only_while_the_repetition_can_be_heard(
    outcome: Outcome, body: bytes, failures: int, chance: float, left_s: float
) -> None:
    outcome = Outcome(outcome.name, outcome.status, body)
    judgement = judge_reply(outcome, failures, SCHEDULE, chance, left_s=left_s, answering="text")
    if isinstance(judgement.result, Retry):
        assert judgement.result.after_s < left_s
        assert not outcome.delivered
    if isinstance(judgement.result, Done):
        assert outcome.delivered
        assert judgement.result.reply is not None


@pytest.mark.parametrize(
    ("outcome", "failures", "expected"),
    [
        pytest.param(answered(200), 0, Done(), id="a 2xx is the end of it"),
        pytest.param(answered(204), 9, Done(), id="however late it comes"),
        pytest.param(answered(302), 0, Retry(1.0), id="a redirect is a failure"),
        pytest.param(answered(400), 1, Retry(5.0), id="a refusal may be a mistake of a release"),
        pytest.param(Outcome(TIMEOUT), 2, Retry(30.0), id="the last wait of the schedule"),
        pytest.param(answered(500), 3, Dead(EXHAUSTED), id="no wait is left"),
        pytest.param(answered(410), 0, Dead(TARGET_GONE), id="gone at once"),
        pytest.param(
            answered(503, retry_after_s=90.0), 0, Retry(90.0), id="as long as it asked for"
        ),
    ],
)
def test_a_copy_follows_the_schedule(
    outcome: Outcome, failures: int, expected: Done | Retry | Dead
) -> None:
    assert judge_notify(outcome, failures, SCHEDULE, 0.0).result == expected


@pytest.mark.parametrize(
    ("outcome", "left_s", "expected"),
    [
        pytest.param(answered(503), 4.0, Retry(1.0), id="a failure inside the window"),
        pytest.param(answered(503), 1.0, Dead(WINDOW_CLOSED), id="no further try fits"),
        pytest.param(answered(503), -3.0, Dead(WINDOW_CLOSED), id="after the window"),
        pytest.param(
            answered(503, retry_after_s=4.0),
            4.0,
            Dead(WINDOW_CLOSED),
            id="what it asks for is beyond the window",
        ),
        pytest.param(answered(410), 4.0, Dead(TARGET_GONE), id="gone"),
        pytest.param(
            Outcome(DELIVERED, 200, b"{}"), -3.0, Done(b""), id="a late answer ends it too"
        ),
    ],
)
def test_a_reply_is_asked_for_inside_its_window(
    outcome: Outcome, left_s: float, expected: Done | Retry | Dead
) -> None:
    judgement = judge_reply(outcome, 0, SCHEDULE, 0.0, left_s=left_s, answering="text")
    assert judgement.result == expected


def test_a_target_that_is_gone_for_replies_keeps_its_copies() -> None:
    judgement = judge_reply(answered(410), 0, SCHEDULE, 0.0, left_s=4.0, answering="text")
    assert not judgement.target_gone


def test_what_is_stored_of_a_reply_is_its_canonical_json() -> None:
    outcome = Outcome(DELIVERED, 200, REPLY)
    judgement = judge_reply(outcome, 0, SCHEDULE, 0.0, left_s=4.0, answering="text")
    assert judgement.result == Done(
        orjson.dumps({"content": "您好", "type": "text"}, option=orjson.OPT_SORT_KEYS)
    )
    assert judgement.outcome == "delivered"


@pytest.mark.parametrize(
    ("outcome", "flaw"),
    [
        pytest.param(Outcome(DELIVERED, 200, b"oops"), "(no JSON)", id="no JSON"),
        pytest.param(
            Outcome(DELIVERED, 200, flaw="(longer than 65536 bytes)"),
            "(longer than 65536 bytes)",
            id="a body that was not read",
        ),
    ],
)
def test_an_invalid_reply_is_a_dead_letter_at_once(outcome: Outcome, flaw: str) -> None:
    judgement = judge_reply(outcome, 0, SCHEDULE, 0.0, left_s=4.0, answering="text")
    assert judgement.result == Dead("invalid_reply")
    assert (judgement.outcome, judgement.flaw) == ("invalid_reply", flaw)


@pytest.mark.parametrize(
    ("cut_off", "left_s", "expected"),
    [
        pytest.param(1, -1.0, None, id="cut off once, it is asked once more"),
        pytest.param(2, -1.0, Dead(CUT_OFF), id="cut off twice, nobody hears it any more"),
        pytest.param(2, 1.0, None, id="inside the window it is asked again"),
    ],
)
def test_a_reply_that_kills_who_asks_for_it_is_given_up_after_its_window(
    cut_off: int, left_s: float, expected: Dead | None
) -> None:
    assert hopeless_reply(reply_delivery(cut_off=cut_off), left_s) == expected
