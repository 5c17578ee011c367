from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, strategies as st

from zhongkong.wechat.signature import is_genuine, signature

any_text = st.text(st.characters(exclude_categories=()))  # half surrogate pairs too
parts = st.lists(any_text, max_size=4)


def test_the_parts_are_sorted_as_text_and_not_as_numbers() -> None:
    assert signature("b", "10", "9") == hashlib.sha1(b"109b").hexdigest()


def test_a_right_signature_is_genuine() -> None:
    assert is_genuine(signature("token", "1", "n"), "token", "1", "n")


@pytest.mark.parametrize(
    ("token", "given_parts"),
    [
        pytest.param("other", ("1", "n"), id="another token"),
        pytest.param("token", ("2", "n"), id="another timestamp"),
        pytest.param("token", ("1", "m"), id="another nonce"),
        pytest.param("token", ("1", "n", "c2VhbGVk"), id="one part more"),
        pytest.param("token", ("1",), id="one part less"),
    ],
)
def test_a_signature_over_something_else_is_not_genuine(
    token: str, given_parts: tuple[str, ...]
) -> None:
    assert not is_genuine(signature("token", "1", "n"), token, *given_parts)


@pytest.mark.parametrize(
    "claimed",
    [
        pytest.param("", id="nothing"),
        pytest.param("ß" * 40, id="letters outside ASCII"),
        pytest.param("\ud800" * 40, id="half characters"),
        pytest.param("\x00", id="a control character"),
        pytest.param(signature("token", "1", "n")[:-1], id="one digit short"),
        pytest.param(signature("token", "1", "n") + "0", id="one digit long"),
        pytest.param(signature("token", "1", "n").upper(), id="upper case"),
    ],
)
def test_an_odd_claim_is_not_genuine(claimed: str) -> None:
    assert not is_genuine(claimed, "token", "1", "n")


@given(any_text, any_text, parts)
def test_no_text_whatever_makes_the_check_raise(
    claimed: str, token: str, given_parts: list[str]
) -> None:
    assert is_genuine(claimed, token, *given_parts) == (claimed == signature(token, *given_parts))


@given(any_text, parts)
def test_the_order_of_the_parts_makes_no_difference(token: str, given_parts: list[str]) -> None:
    assert signature(token, *given_parts) == signature(token, *reversed(given_parts))
