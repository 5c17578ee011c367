from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, strategies as st

from token_service.proxy.credentials import (
    TOKEN_NAMES,
    Twice,
    Unswappable,
    added,
    body_fields,
    one_of,
    put,
    put_in_body,
    query_fields,
)

TOKEN = "zkt1_" + "A" * 80
JSON = "application/json"


@given(st.text("abc=&%+-.~é2", max_size=40))
def test_the_rest_of_a_query_keeps_every_byte(rest: str) -> None:
    query = f"{rest}&access_token={TOKEN}&z=%2f+%41"
    place = one_of([f for f in query_fields(query) if f.value == TOKEN], TOKEN_NAMES)

    assert place is not None
    assert put(query, place, "real") == f"{rest}&access_token=real&z=%2f+%41"


def test_what_is_put_in_is_encoded_as_one_value() -> None:
    query = added("a=1", "access_token", "a&b=c+d")

    assert parse_qsl(query) == [("a", "1"), ("access_token", "a&b=c+d")]


def test_a_name_is_recognised_when_it_is_encoded() -> None:
    place = one_of(query_fields("access%5Ftoken=x"), TOKEN_NAMES)

    assert place is not None
    assert place.value == "x"


def test_a_token_given_twice_is_refused() -> None:
    with pytest.raises(Twice, match="access_token"):
        one_of(query_fields("access_token=a&access%5ftoken=b"), TOKEN_NAMES)


@pytest.mark.parametrize("content_type", [JSON, "text/plain", "", "application/octet-stream"])
def test_a_json_body_is_known_by_its_look(content_type: str) -> None:
    fields = body_fields(b' {"access_token": "x", "n": {"access_token": "y"}}', content_type)

    assert fields.one_of(TOKEN_NAMES) == ("access_token", "x")


def test_a_name_repeated_in_json_is_given_twice() -> None:
    fields = body_fields(b'{"access_token": "x", "access_token": "y"}', JSON)

    with pytest.raises(Twice):
        fields.one_of(TOKEN_NAMES)


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\x00\xff", b"{" * 5000 + b"secret", b"--x\r\n"])
def test_any_body_is_read_without_an_error(body: bytes) -> None:
    assert body_fields(body, JSON).one_of(TOKEN_NAMES) is None


def test_only_the_token_of_a_json_body_is_replaced() -> None:
    body = f'{{"b" : 1.0, "access_token" : "{TOKEN}", "名": "值"}}'.encode()
    fields = body_fields(body, JSON)

    swapped = put_in_body(body, fields, "access_token", TOKEN, 'r"')

    assert swapped == body.replace(f'"{TOKEN}"'.encode(), json.dumps('r"').encode())


def test_only_the_token_of_a_form_is_replaced() -> None:
    body = f"a=%41&access_token={TOKEN}&b=+".encode()
    fields = body_fields(body, "application/x-www-form-urlencoded")

    assert put_in_body(body, fields, "access_token", TOKEN, "a+b") == (
        b"a=%41&access_token=a%2Bb&b=+"
    )


def test_a_token_that_stands_elsewhere_too_is_not_replaced() -> None:
    body = f'{{"access_token": "{TOKEN}", "x": "{TOKEN}"}}'.encode()

    with pytest.raises(Unswappable):
        put_in_body(body, body_fields(body, JSON), "access_token", TOKEN, "r")
