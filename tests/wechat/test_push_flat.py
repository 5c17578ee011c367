"""The short way through usual pushes says what the parser says, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from zhongkong.wechat.malformed import PushMalformed
from zhongkong.wechat.push import BodyFormat, render
from zhongkong.wechat.push_xml import flat_fields, parsed

_TEXTS = st.text(max_size=20)
_NAMES = st.sampled_from(["ToUserName", "Content", "MsgId", "item", "xml", "Event"])
_PIECES = st.sampled_from(
    [
        "<xml>",
        "</xml>",
        "<A>",
        "</A>",
        "<B/>",
        "<![CDATA[",
        "]]>",
        "]",
        "&amp;",
        "<!-- c -->",
        "text",
        "\r\n",
        " ",
        "\x00",
        "\ufffe",
        "<A>1</A>",
        "<![CDATA[<A>x</A>]]>",
    ]
)


def agrees(body: bytes) -> bool:
    """True when the short way took the body, and as the parser does."""
    short = flat_fields(body)
    if short is None:
        return False
    assert parsed(body) == short
    return True


@given(st.dictionaries(_NAMES, _TEXTS, min_size=1))
def test_it_agrees_on_rendered_fields(fields: dict[str, str]) -> None:
    try:
        body = render(fields, BodyFormat.XML)
    except PushMalformed:
        return
    agrees(body)


@given(st.lists(_PIECES, max_size=12).map("".join))
def test_it_agrees_on_anything_that_looks_like_xml(text: str) -> None:
    agrees(f"<xml>{text}</xml>".encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=60))
def test_it_agrees_on_random_bytes(body: bytes) -> None:
    agrees(b"<xml>" + body + b"</xml>")


@pytest.mark.parametrize(
    "body",
    [
        b"<xml><A><![CDATA[x]]></A>\n<B>1</B></xml>",
        "<xml><Content><![CDATA[买入 😀 <b>&amp;</b>]]></Content></xml>".encode(),
        b"<xml><EventKey></EventKey><EventKey2><![CDATA[]]></EventKey2></xml>",
    ],
)
def test_it_takes_the_usual_shapes(body: bytes) -> None:
    assert agrees(body)


@pytest.mark.parametrize(
    "body",
    [
        b"<xml><A>1</A><A>2</A></xml>",
        b"<xml></xml>",
        b"<xml><A><B>1</B></A></xml>",
        b"<xml><A>1</B></xml>",
        b"<xml><A>&lt;</A></xml>",
        b"<xml><A>1</A></xml><xml/>",
        b"<!DOCTYPE x><xml><A>1</A></xml>",
        b"<xml><A>\x01</A></xml>",
        b"<xml><A>\xff</A></xml>",
        b"<xml>" + b"".join(b"<A%d>1</A%d>" % (n, n) for n in range(100)) + b"</xml>",
    ],
)
def test_it_leaves_all_else_to_the_parser(body: bytes) -> None:
    assert flat_fields(body) is None
