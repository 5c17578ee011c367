"""How long a token lives in a client, and when it is asked after."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from token_service.client.held import LOOK_EVERY_S, MARGIN_S, next_look_s, read_token

WRONG: tuple[Any, ...] = (None, "", [], 1.5, True)
GOOD: dict[str, Any] = {
    "value": "v",
    "version": "1",
    "issued_at": "2026-01-02T03:04:05Z",
    "expires_in": 7200,
}
SPREADS = st.floats(0, 1, exclude_max=True)


def test_a_life_counts_from_before_the_question() -> None:
    held = read_token(GOOD, 1000.0, 5.0)
    assert (held.expires_at, held.expires_at_monotonic) == (8200.0, 7205.0)
    assert held.issued_at == 1767323045.0


def test_the_earlier_end_counts() -> None:
    held = read_token(GOOD, 1000.0, 5.0)
    assert held.left_s(1000.0, 105.0) == held.left_s(1100.0, 5.0) == 7100.0


def test_a_token_is_not_shown() -> None:
    assert "'v'" not in repr(read_token(GOOD, 0.0, 0.0))


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {},
        *({**GOOD, name: wrong} for name in GOOD for wrong in WRONG),
        {**GOOD, "expires_in": -1},
        {**GOOD, "expires_in": 10**9},
        {**GOOD, "issued_at": "yesterday"},
    ],
)
def test_what_is_no_token_document_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="no token document"):
        read_token(document, 0.0, 0.0)


@given(left_s=st.floats(MARGIN_S, 7200, exclude_min=True), spread=SPREADS)
def test_early_in_its_life_a_token_is_asked_after_once_a_minute(
    left_s: float, spread: float
) -> None:
    assert 1.0 <= next_look_s(left_s, spread) <= LOOK_EVERY_S


@given(left_s=st.floats(60, MARGIN_S), spread=SPREADS)
def test_in_its_margin_a_token_is_asked_after_often_enough(left_s: float, spread: float) -> None:
    assert 11 <= next_look_s(left_s, spread) <= 15


@given(left_s=st.floats(0, 100_000), spread=SPREADS)
def test_looks_never_follow_each_other_without_a_pause(left_s: float, spread: float) -> None:
    assert next_look_s(left_s, spread) >= 1.5
