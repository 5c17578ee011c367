from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, strategies as st

from zhongkong.wechat.limits import REAL, SANDBOX, day_of, next_reset

moments = st.floats(min_value=0, max_value=4e9)


def unix(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_the_quota_day_turns_at_midnight_in_china() -> None:
    assert day_of(unix("2024-05-31T15:59:59")) == "2024-05-31"
    assert day_of(unix("2024-05-31T16:00:00")) == "2024-06-01"


def test_the_next_reset_is_the_next_midnight_in_china() -> None:
    assert next_reset(unix("2024-05-31T15:59:59")) == unix("2024-05-31T16:00:00")


def test_at_the_reset_itself_the_next_one_is_a_day_away() -> None:
    midnight = unix("2024-05-31T16:00:00")

    assert next_reset(midnight) == midnight + 86_400


def test_another_offset_moves_the_reset() -> None:
    noon = unix("2024-05-31T12:00:00")

    assert next_reset(noon, offset_s=0) == unix("2024-06-01T00:00:00")


@given(moments)
def test_the_day_changes_exactly_at_the_reset(now: float) -> None:
    reset = next_reset(now)

    assert now < reset <= now + 86_400
    assert day_of(now) == day_of(reset - 1) < day_of(reset)


def test_a_sandbox_account_may_call_less() -> None:
    assert (REAL.classic_token, SANDBOX.classic_token) == (2000, 200)
