from __future__ import annotations

import orjson
import pytest
from hypothesis import given, strategies as st

from callback_gateway.delivery.reply_body import InvalidReply, answering_of, stored_reply

ARTICLE = {"title": "t", "description": "d", "pic_url": "https://p", "url": "https://u"}


def body(reply: object) -> bytes:
    return orjson.dumps({"reply": reply})


@pytest.mark.parametrize("said", [b"", b"  \r\n", b"{}", b" {} "])
def test_a_target_may_have_nothing_to_say(said: bytes) -> None:
    assert stored_reply(said, "text") == b""


def test_a_reply_is_stored_in_one_form_however_it_was_written() -> None:
    one = b'{"reply": {"type": "text", "content": "\\u60a8\\u597d"}}'
    other = '{ "reply":{"content":"您好",  "type":"text"} }'.encode()
    assert stored_reply(one, "text") == stored_reply(other, "text")


def test_several_articles_fit_an_event() -> None:
    reply = {"type": "news", "articles": [ARTICLE, ARTICLE]}
    assert orjson.loads(stored_reply(body(reply), "event")) == reply


@pytest.mark.parametrize(
    ("said", "path"),
    [
        pytest.param(b"success", "(no JSON)", id="a word"),
        pytest.param(b"\x1f\x8b\x08", "(no JSON)", id="bytes"),
        pytest.param(b'{"reply": "\xff"}', "(no JSON)", id="no UTF-8"),
        pytest.param(b"[" * 5000, "(no JSON)", id="nested without end"),
        pytest.param(b"[]", "(no object)", id="a list"),
        pytest.param(b'{"replay": {}}', "(not `reply` alone)", id="a misspelt key"),
        pytest.param(body({"type": "text"}), "reply.content", id="no content"),
        pytest.param(body({"type": "poem"}), "reply.type", id="an unknown type"),
        pytest.param(body(None), "reply", id="no reply in it"),
        pytest.param(
            body({"type": "news", "articles": [ARTICLE, ARTICLE]}),
            "reply.articles",
            id="more articles than a text may be answered with",
        ),
    ],
)
def test_an_invalid_reply_is_refused_with_its_place(said: bytes, path: str) -> None:
    with pytest.raises(InvalidReply) as refused:
        stored_reply(said, "text")
    assert refused.value.path == path
    assert refused.value.__cause__ is None


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(said: bytes) -> None:
    try:
        stored = stored_reply(said, "text")
    except InvalidReply:
        return
    assert stored == b"" or orjson.loads(stored)["type"]


@pytest.mark.parametrize(
    ("kind", "answering"),
    [("wechat.message.text", "text"), ("wechat.event.click", "event")],
)
def test_what_is_answered_is_read_from_the_event(kind: str, answering: str) -> None:
    assert answering_of(orjson.dumps({"type": kind})) == answering
