from __future__ import annotations

from hypothesis import given, strategies as st

from token_service.proxy.rates import Bucket, Rate


def test_a_burst_passes_and_the_next_call_is_told_when_to_come() -> None:
    bucket = Bucket(Rate(calls=60, per_s=60.0, burst=3), now=0.0)

    assert [bucket.take(0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]
    assert bucket.take(1.0) == 0.0


@given(
    st.lists(st.floats(0.0, 5.0), max_size=200),
    st.integers(1, 20),
    st.floats(1.0, 60.0),
    st.integers(1, 10),
)
def test_no_pattern_of_calls_gets_more_than_rate_and_burst(
    waits: list[float], calls: int, per_s: float, burst: int
) -> None:
    bucket = Bucket(Rate(calls, per_s, burst), now=0.0)
    now, passed = 0.0, 0
    for wait in waits:
        now += wait
        passed += bucket.take(now) == 0.0

    assert passed <= burst + now * calls / per_s + 1e-6


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    bucket = Bucket(Rate(1, 10.0, 1), now=100.0)
    bucket.take(100.0)

    assert bucket.take(50.0) > 0
    assert bucket.take(101.0) > 0
