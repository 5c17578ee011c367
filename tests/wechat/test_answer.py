from __future__ import annotations

import contextlib
import json

import orjson
import pytest
from hypothesis import given, strategies as st

from zhongkong.wechat.answer import Answer, parse_answer
from zhongkong.wechat.errors import (
    CredentialRejected,
    OperatorError,
    OutcomeUnknown,
    UnreadableAnswer,
)

RID = "65a1b2c3-0a1b2c3d-7f00aa11"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


def test_an_answer_without_errcode_is_a_success() -> None:
    answer = parse_answer(200, b'{"access_token":"33_F6G8","expires_in":7200}')

    assert answer.errcode == 0
    assert answer.payload == {"access_token": "33_F6G8", "expires_in": 7200}
    answer.raise_for_errcode()


def test_an_answer_with_errcode_zero_is_a_success() -> None:
    answer = parse_answer(200, b'{"errcode":0,"errmsg":"ok","ticket":"t"}')

    assert (answer.errcode, answer.errmsg) == (0, "ok")


@pytest.mark.parametrize("errcode", ["40001", '"40001"', '" 40001 "', "40001.0"])
def test_an_errcode_is_read_as_a_number_however_it_is_written(errcode: str) -> None:
    body = f'{{"errcode":{errcode},"errmsg":"invalid credential"}}'

    assert parse_answer(200, body.encode()).errcode == 40001


@pytest.mark.parametrize("errcode", ["null", "true", "[]", '"four"', '"４０"', "1e999"])
def test_an_errcode_that_is_no_number_leaves_the_outcome_unknown(errcode: str) -> None:
    with pytest.raises(UnreadableAnswer, match="errcode"):
        parse_answer(200, f'{{"errcode":{errcode}}}'.encode())


def test_the_new_suffix_is_split_off_as_rid() -> None:
    body = f'{{"errcode":42001,"errmsg":"access_token expired rid: {RID}"}}'

    answer = parse_answer(200, body.encode())

    assert (answer.errmsg, answer.rid, answer.hint) == ("access_token expired", RID, None)


def test_the_old_suffix_is_split_off_as_hint() -> None:
    body = b'{"errcode":40016,"errmsg":"invalid button size hint: [RI68La0851vr18]"}'

    answer = parse_answer(200, body)

    assert (answer.errmsg, answer.rid, answer.hint) == (
        "invalid button size",
        None,
        "RI68La0851vr18",
    )


def test_an_endpoint_tells_which_40001_it_is() -> None:
    body = b'{"errcode":40001,"errmsg":"invalid credential"}'

    with pytest.raises(OperatorError):
        parse_answer(200, body, endpoint="/cgi-bin/token").raise_for_errcode()
    with pytest.raises(CredentialRejected):
        parse_answer(200, body, endpoint="/cgi-bin/menu/get").raise_for_errcode()


def test_an_error_raised_from_an_answer_carries_its_rid() -> None:
    body = f'{{"errcode":42001,"errmsg":"access_token expired rid: {RID}"}}'

    with pytest.raises(CredentialRejected) as raised:
        parse_answer(200, body.encode()).raise_for_errcode()

    assert raised.value.rid == RID


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b" \r\n\t", b"\xef\xbb\xbf\n"])
def test_what_precedes_the_json_is_skipped(prefix: bytes) -> None:
    assert parse_answer(200, prefix + b'{"errcode":0}').errcode == 0


def test_bad_utf8_inside_a_string_is_replaced() -> None:
    assert parse_answer(200, b'{"nickname":"a\xe4\xbd"}').payload == {"nickname": "a�"}


def test_raw_control_characters_inside_a_string_are_accepted() -> None:
    assert parse_answer(200, b'{"nickname":"a\x01\nb"}').payload == {"nickname": "a\x01\nb"}


def test_large_numbers_stay_exact() -> None:
    assert parse_answer(200, b'{"msg_id":9007199254740993}').payload["msg_id"] == 2**53 + 1


def test_an_array_is_an_answer_with_items() -> None:
    answer = parse_answer(200, b"[1,2]")

    assert (answer.payload, answer.items, answer.errcode) == ({}, (1, 2), 0)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(502, b"<html>Bad Gateway</html>", id="a proxy's error page"),
        pytest.param(502, b'{"errcode":0}', id="JSON with another status"),
        pytest.param(302, b"", id="a redirect"),
        pytest.param(200, b"<html>login</html>", id="HTML with status 200"),
        pytest.param(200, b"", id="an empty body"),
        pytest.param(200, b'{"access_token":"33_F6', id="truncated JSON"),
        pytest.param(200, b'"ok"', id="a JSON string"),
        pytest.param(200, b'{"expires_in":NaN}', id="a number that is none"),
        pytest.param(200, b"[" * 100_000, id="endless nesting"),
        pytest.param(200, b'{"a":' + b"9" * 10_000 + b"}", id="an endless number"),
    ],
)
def test_anything_else_leaves_the_outcome_unknown(status: int, body: bytes) -> None:
    with pytest.raises(UnreadableAnswer) as raised:
        parse_answer(status, body)

    assert raised.value.status == status


def test_an_unreadable_answer_shows_its_beginning_and_no_more() -> None:
    with pytest.raises(UnreadableAnswer) as raised:
        parse_answer(502, b"<html>" + b"x" * 100_000)

    assert raised.value.excerpt.startswith("<html>")
    assert len(str(raised.value)) < 400


def test_an_unreadable_answer_does_not_repeat_what_was_sent() -> None:
    token = "33_" + "Ab+/" * 30
    echoes = f"<html>{token} {token.replace('+', '%2B').replace('/', '%2F')}</html>" * 20

    with pytest.raises(UnreadableAnswer) as raised:
        parse_answer(502, echoes.encode(), hide=[token])

    assert token[:12] not in str(raised.value)


@pytest.mark.parametrize("name", ["access_token", "ticket", "authorizer_refresh_token"])
def test_a_truncated_answer_does_not_show_the_new_token_in_it(name: str) -> None:
    with pytest.raises(UnreadableAnswer) as raised:
        parse_answer(200, f'{{"expires_in":7200,"{name}":"33_F6G8abcdefgh'.encode())

    assert "F6G8" not in str(raised.value)


def test_an_answer_does_not_show_its_payload() -> None:
    assert "33_F6G8" not in repr(parse_answer(200, b'{"access_token":"33_F6G8"}'))


@given(st.integers(), st.binary() | st.binary().map(lambda tail: b"{" + tail))
def test_arbitrary_bytes_give_an_answer_or_an_unknown_outcome(status: int, body: bytes) -> None:
    with contextlib.suppress(OutcomeUnknown):
        assert isinstance(parse_answer(status, body), Answer)


@given(st.dictionaries(st.text(), json_values), st.data())
def test_a_cut_object_is_never_taken_for_an_answer(
    payload: dict[str, object], data: st.DataObject
) -> None:
    whole = json.dumps(payload).encode()
    cut = data.draw(st.integers(0, len(whole) - 1))

    with pytest.raises(OutcomeUnknown):
        parse_answer(200, whole[:cut])


@given(st.dictionaries(st.text(), json_values), json_values)
def test_any_object_is_read_or_refused_and_can_be_written_again(
    payload: dict[str, object], errmsg: object
) -> None:
    body = json.dumps({**payload, "errmsg": errmsg}).encode()

    with contextlib.suppress(OutcomeUnknown):
        json.dumps(parse_answer(200, body).payload, ensure_ascii=False).encode()


def test_an_unpaired_surrogate_is_replaced_and_a_pair_is_kept() -> None:
    answer = parse_answer(200, rb'{"a":"\ud83d\ude00","b":"\ud83d"}')

    assert orjson.loads(orjson.dumps(answer.payload)) == {"a": "😀", "b": "?"}
