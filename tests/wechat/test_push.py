from __future__ import annotations

import contextlib
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from zhongkong.wechat.push import (
    MAX_BODY_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    BodyFormat,
    PushMalformed,
    encrypted_part,
    format_of,
    parse,
    push_envelope,
    render,
    reply_envelope,
)

XML, JSON = BodyFormat.XML, BodyFormat.JSON

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,11}", fullmatch=True).filter(
    lambda name: name != "item"
)
xml_texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r]>&<"),
    max_size=20,
)
# An empty list and an empty object are, in XML, an empty element.
xml_values = st.recursive(
    xml_texts,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4)
        | st.dictionaries(names, inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def xml(inside: str, prolog: str = "") -> bytes:
    return f"{prolog}<xml>{inside}</xml>".encode()


# ----------------------------------------------------------------------------------------- format


@pytest.mark.parametrize(
    ("body", "form"),
    [
        pytest.param(b"<xml></xml>", XML, id="an element"),
        pytest.param(b"<?xml version='1.0'?><xml/>", XML, id="a declaration"),
        pytest.param(b" \r\n\t<xml></xml>", XML, id="an element behind blanks"),
        pytest.param(b"{}", JSON, id="an object"),
        pytest.param(b"\n {}", JSON, id="an object behind blanks"),
    ],
)
def test_the_first_byte_that_is_not_blank_tells_the_format(body: bytes, form: BodyFormat) -> None:
    assert format_of(body) is form


@pytest.mark.parametrize(
    "body", [b"", b" \n", b"[]", b"success", b"\xff\xfe<\x00", b"\xfe\xff\x00<", b"\x00<", b'"a"']
)
def test_what_is_neither_xml_nor_an_object_has_no_format(body: bytes) -> None:
    with pytest.raises(PushMalformed):
        format_of(body)


# ------------------------------------------------------------------------------------ reading XML


@pytest.mark.parametrize(
    ("inside", "fields"),
    [
        pytest.param("", {}, id="nothing"),
        pytest.param("<A>x</A>", {"A": "x"}, id="plain text"),
        pytest.param("<A><![CDATA[x]]></A>", {"A": "x"}, id="CDATA"),
        pytest.param("<A><![CDATA[<B>&amp;]]></A>", {"A": "<B>&amp;"}, id="markup in CDATA"),
        pytest.param(
            "<A><![CDATA[a]]]]><![CDATA[>b]]></A>", {"A": "a]]>b"}, id="CDATA in two sections"
        ),
        pytest.param("<A>a<![CDATA[b]]>c</A>", {"A": "abc"}, id="text and CDATA"),
        pytest.param("<A> a </A>", {"A": " a "}, id="blanks that belong to a text"),
        pytest.param("\n <A>x</A>\n ", {"A": "x"}, id="blanks between elements"),
        pytest.param("<A></A><B/>", {"A": "", "B": ""}, id="empty elements"),
        pytest.param("<A>&lt;&amp;&#20320;&#x4f60;</A>", {"A": "<&你你"}, id="predefined entities"),
        pytest.param("<A b='c'>x</A>", {"A": "x"}, id="an attribute, passed over"),
        pytest.param("<!-- <A>y</A> --><A>x</A>", {"A": "x"}, id="a comment, passed over"),
        pytest.param("<?php y ?><A>x</A>", {"A": "x"}, id="an instruction, passed over"),
        pytest.param("<A>😀中</A>", {"A": "😀中"}, id="all of Unicode"),
        pytest.param("<A><B><C>x</C></B></A>", {"A": {"B": {"C": "x"}}}, id="nested elements"),
        pytest.param("<A><item><B>1</B></item></A>", {"A": [{"B": "1"}]}, id="one item is a list"),
        pytest.param("<A><item>1</item><item>2</item></A>", {"A": ["1", "2"]}, id="items"),
        pytest.param(
            "<A><count>1</count><item>1</item></A>",
            {"A": {"count": "1", "item": ["1"]}},
            id="items with a count beside them",
        ),
        pytest.param(
            "<A><List>1</List><List>2</List><List>3</List></A>",
            {"A": {"List": ["1", "2", "3"]}},
            id="other nested elements that repeat",
        ),
        pytest.param(
            "<A><B><item>1</item></B><B>2</B></A>",
            {"A": {"B": [["1"], "2"]}},
            id="a list that repeats",
        ),
        pytest.param("<item>x</item>", {"item": "x"}, id="an item at the top is no list"),
    ],
)
def test_xml_is_read(inside: str, fields: dict[str, Any]) -> None:
    assert parse(xml(inside), XML) == fields


@pytest.mark.parametrize(
    "prolog",
    [
        "<?xml version='1.0'?>",
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        '<?xml version="1.0" encoding="utf-8" standalone="yes" ?>',
        "\n  ",
    ],
)
def test_a_declaration_of_utf_8_is_taken(prolog: str) -> None:
    assert parse(xml("<A>x</A>", prolog), XML) == {"A": "x"}


def in_encoding(name: str, codec: str | None = None) -> bytes:
    return f'<?xml version="1.0" encoding="{name}"?><xml><A>x</A></xml>'.encode(codec or name)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<xml>", id="an element left open"),
        pytest.param(b"<xml></xml><xml></xml>", id="two roots"),
        pytest.param(b"<xml></xml>x", id="text behind the root"),
        pytest.param(b"<xml>x</xml>", id="text in the root"),
        pytest.param(b"<xml>x<A/></xml>", id="text before an element"),
        pytest.param(b"<xml><A>x<B/></A></xml>", id="text before a nested element"),
        pytest.param(b"<xml><A><B/>x</A></xml>", id="text after a nested element"),
        pytest.param(b"<xml><A/>x</xml>", id="text after an element"),
        pytest.param(b"<xml><A>1</A><A>2</A></xml>", id="a field twice"),
        pytest.param(b"<xml><A>&b;</A></xml>", id="an entity nobody declared"),
        pytest.param(b"<xml><A>&#0;</A></xml>", id="a character XML has not"),
        pytest.param(b"<xml><A>\x01</A></xml>", id="a control character"),
        pytest.param(b"<xml><A>\xff</A></xml>", id="a byte that is not UTF-8"),
        pytest.param(b"<xml><A>\xed\xa0\x80</A></xml>", id="half a surrogate pair"),
        pytest.param(b"<xml><A>\xe4\xbd</A></xml>", id="half a character"),
        pytest.param(b"<xml><A b='1' b='2'/></xml>", id="an attribute twice"),
        pytest.param(b"<!-- --><xml></xml>", id="a comment before the root"),
        pytest.param(b"<?a b?><xml></xml>", id="an instruction before the root"),
        pytest.param(b"<?xml version='1.1'?><xml></xml>", id="XML 1.1"),
        pytest.param(b"\xef\xbb\xbf<xml></xml>", id="a byte order mark"),
        pytest.param(in_encoding("gbk"), id="GBK"),
        pytest.param(in_encoding("iso-8859-1"), id="Latin-1"),
        pytest.param(in_encoding("utf-16"), id="UTF-16 with its mark"),
        pytest.param(in_encoding("utf-16", "utf-8"), id="UTF-8 that calls itself UTF-16"),
        pytest.param(in_encoding("utf-16-le"), id="UTF-16 without its mark"),
        pytest.param(in_encoding("utf-32"), id="UTF-32"),
        pytest.param(in_encoding("utf-7"), id="UTF-7"),
        pytest.param(b"<?xml version='1.0' encoding=''?><xml></xml>", id="no encoding's name"),
    ],
)
def test_xml_that_is_no_push_is_refused(body: bytes) -> None:
    with pytest.raises(PushMalformed):
        parse(body, XML)


_LAUGHS = "".join(
    f'<!ENTITY {chr(98 + level)} "{f"&{chr(97 + level)};" * 10}">' for level in range(9)
)


@pytest.mark.parametrize(
    "doctype",
    [
        pytest.param("<!DOCTYPE xml>", id="bare"),
        pytest.param("\n<!DOCTYPE xml>", id="behind a blank"),
        pytest.param("<!DOCTYPE xml [<!ENTITY b 'x'>]>", id="an entity"),
        pytest.param(f"<!DOCTYPE xml [<!ENTITY a 'ha'>{_LAUGHS}]>", id="a billion laughs"),
        pytest.param("<!DOCTYPE xml [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>", id="a file"),
        pytest.param("<!DOCTYPE xml SYSTEM 'http://127.0.0.1:9/a.dtd'>", id="a DTD elsewhere"),
        pytest.param(
            "<!DOCTYPE xml [<!ENTITY % b SYSTEM 'http://127.0.0.1:9/'> %b;]>",
            id="a parameter entity",
        ),
        pytest.param("<?xml version='1.0'?><!DOCTYPE xml>", id="behind the declaration"),
        pytest.param("<!-- --><!DOCTYPE xml>", id="behind a comment"),
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-7", "cp037"])
@pytest.mark.parametrize("read", [parse, encrypted_part])
def test_a_doctype_is_refused(doctype: str, codec: str, read: Any) -> None:
    body = f"{doctype}<xml><Encrypt>&b;</Encrypt></xml>".encode(codec)

    with pytest.raises(PushMalformed):
        read(body, XML)


@pytest.mark.parametrize("place", ["<xml/>{}", "<xml>{}</xml>", "<xml><A>{}</A></xml>"])
def test_a_doctype_anywhere_else_is_refused(place: str) -> None:
    with pytest.raises(PushMalformed, match="well-formed"):
        parse(place.format("<!DOCTYPE xml [<!ENTITY b 'x'>]>").encode(), XML)


def test_a_doctype_in_a_text_is_text() -> None:
    assert parse(xml("<A><![CDATA[<!DOCTYPE xml>]]></A>"), XML) == {"A": "<!DOCTYPE xml>"}


def peak_of(body: bytes, form: BodyFormat) -> int:
    """The most bytes of memory taken while a hostile body is refused."""
    tracemalloc.start()
    try:
        with pytest.raises(PushMalformed):
            encrypted_part(body, form)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_billion_laughs_take_no_memory() -> None:
    body = f"<!DOCTYPE xml [<!ENTITY a 'ha'>{_LAUGHS}]><xml><Encrypt>&j;</Encrypt></xml>"

    assert peak_of(body.encode(), XML) < 64 * 1024


@pytest.mark.parametrize(
    ("body", "form"),
    [
        pytest.param(b"<xml>" + b"<a>" * 80_000, XML, id="deep XML"),
        pytest.param(b"<xml><b>" + b"<a/>" * 60_000 + b"</b></xml>", XML, id="wide XML"),
        pytest.param(b"<?xml" + b" " * 262_000, XML, id="a long declaration"),
        pytest.param(b"<xml>" + b"<!---->" * 37_000 + b"</xml>", XML, id="many comments"),
        pytest.param(b"<xml>" + b"a&#65;" * 43_000 + b"</xml>", XML, id="many references"),
        pytest.param(b'{"a":' * 50_000, JSON, id="deep objects"),
        pytest.param(b'{"a":' + b"[" * 250_000, JSON, id="deep lists"),
        pytest.param(b'{"a":[' + b"1," * 130_000 + b"1]}", JSON, id="wide JSON"),
        pytest.param(b'{"a":' + b"9" * 250_000 + b"}", JSON, id="a long number"),
        pytest.param(b'{"a":' + b"9" * 250_000 + b".5}", JSON, id="a long decimal number"),
    ],
)
def test_a_hostile_body_takes_a_few_times_its_own_size_at_most(
    body: bytes, form: BodyFormat
) -> None:
    assert len(body) <= MAX_BODY_BYTES
    assert peak_of(body, form) < 12 * MAX_BODY_BYTES


@pytest.mark.parametrize("form", list(BodyFormat))
@pytest.mark.parametrize("read", [parse, encrypted_part])
def test_a_body_beyond_the_limit_is_refused_unread(form: BodyFormat, read: Any) -> None:
    body = push_envelope("gh_1", "A" * MAX_BODY_BYTES, form)

    with pytest.raises(PushMalformed, match="longer than"):
        read(body, form)


def test_elements_may_be_nested_as_deep_as_the_bound_and_no_deeper() -> None:
    inner = MAX_DEPTH - 1

    parse(xml("<A>" * inner + "</A>" * inner), XML)
    with pytest.raises(PushMalformed, match="nested deeper"):
        parse(xml("<A>" * (inner + 1) + "</A>" * (inner + 1)), XML)


def test_elements_may_be_as_many_as_the_bound_and_no_more() -> None:
    parse(xml("<A>" + "<B/>" * (MAX_NODES - 2) + "</A>"), XML)
    with pytest.raises(PushMalformed, match="more than"):
        parse(xml("<A>" + "<B/>" * (MAX_NODES - 1) + "</A>"), XML)


# ----------------------------------------------------------------------------------- reading JSON


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        pytest.param(b"{}", {}, id="nothing"),
        pytest.param(b' {"A" : 1 }\n', {"A": 1}, id="blanks"),
        pytest.param(
            b'{"MsgId":24325768923476531234}', {"MsgId": 24325768923476531234}, id="a long number"
        ),
        pytest.param(b'{"A":"\\u4f60\\ud83d\\ude00"}', {"A": "你😀"}, id="escapes"),
        pytest.param(b'{"A":"a\nb"}', {"A": "a\nb"}, id="a raw line end in a text"),
        pytest.param(b'{"A":[{"B":null},true,1.5]}', {"A": [{"B": None}, True, 1.5]}, id="nested"),
    ],
)
def test_json_is_read(body: bytes, fields: dict[str, Any]) -> None:
    assert parse(body, JSON) == fields


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="an object left open"),
        pytest.param(b"{}{}", id="two objects"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'"a"', id="a text"),
        pytest.param(b"1", id="a number"),
        pytest.param(b'{"A":1,"A":2}', id="a field twice"),
        pytest.param(b'{"A":{"B":1,"B":1}}', id="a nested field twice"),
        pytest.param(b'{"A":1,"\\u0041":1}', id="a field twice, once escaped"),
        pytest.param(b'{"A":NaN}', id="no number"),
        pytest.param(b'{"A":-Infinity}', id="infinity"),
        pytest.param(b'{"A":1e999}', id="a number beyond all bounds"),
        pytest.param(b'{"A":"\\ud800"}', id="half a surrogate pair"),
        pytest.param(b'{"\\ud800":1}', id="half a surrogate pair in a name"),
        pytest.param(b'{"A":"\xff"}', id="a byte that is not UTF-8"),
        pytest.param(b"\xef\xbb\xbf{}", id="a byte order mark"),
        pytest.param('{"A":1}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b"{'A':1}", id="single quotes"),
    ],
)
def test_json_that_is_no_push_is_refused(body: bytes) -> None:
    with pytest.raises(PushMalformed):
        parse(body, JSON)


def nested_lists(depth: int) -> bytes:
    return b'{"A":' + b"[" * depth + b"]" * depth + b"}"


def test_values_may_be_nested_as_deep_as_the_bound_and_no_deeper() -> None:
    parse(nested_lists(MAX_DEPTH - 1), JSON)
    with pytest.raises(PushMalformed, match="nested deeper"):
        parse(nested_lists(MAX_DEPTH), JSON)


def test_values_may_be_as_many_as_the_bound_and_no_more() -> None:
    parse(json.dumps({"A": [1] * (MAX_NODES - 2)}).encode(), JSON)
    with pytest.raises(PushMalformed, match="more than"):
        parse(json.dumps({"A": [1] * (MAX_NODES - 1)}).encode(), JSON)


# ---------------------------------------------------------------------------------------- Encrypt


@pytest.mark.parametrize(
    "inside",
    [
        "<ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[YWJj+/==]]></Encrypt>",
        "<Encrypt><![CDATA[YWJj+/==]]></Encrypt><ToUserName><![CDATA[gh_1]]></ToUserName>",
        "\n<ToUserName>gh_1</ToUserName>\n<Encrypt>\nYWJj+/==\n</Encrypt>\n",
        "<Encrypt><![CDATA[YWJj]]><![CDATA[+/==]]></Encrypt>",
        "<AgentID>1</AgentID><Encrypt>YWJj+/==</Encrypt>",
        "<!-- <Encrypt>ZXZpbA==</Encrypt> --><Encrypt>YWJj+/==</Encrypt>",
        "<Content><![CDATA[<Encrypt>ZXZpbA==</Encrypt>]]></Content><Encrypt>YWJj+/==</Encrypt>",
        "<Content>&lt;Encrypt&gt;ZXZpbA==</Content><Encrypt>YWJj+/==</Encrypt>",
        "<A><Encrypt>ZXZpbA==</Encrypt></A><Encrypt>YWJj+/==</Encrypt>",
        "<encrypt>ZXZpbA==</encrypt><Encrypt>YWJj+/==</Encrypt>",
        "<A b='&lt;Encrypt&gt;ZXZpbA=='/><Encrypt>YWJj+/==</Encrypt>",
    ],
)
def test_encrypt_at_the_top_of_xml_is_found(inside: str) -> None:
    assert encrypted_part(xml(inside), XML) == "YWJj+/=="


@pytest.mark.parametrize(
    "body",
    [
        b'{"ToUserName":"gh_1","Encrypt":"YWJj+/=="}',
        b' { "ToUserName" : "gh_1" , "Encrypt" : "YWJj+/==" } ',
        b'{"Encrypt":"YWJj+/==","ToUserName":"gh_1"}',
        b'{"Encrypt":"YWJj+\\/=="}',
        b'{"Content":"\\"Encrypt\\":\\"ZXZpbA==\\"","Encrypt":"YWJj+/=="}',
        b'{"A":{"Encrypt":"ZXZpbA=="},"Encrypt":"YWJj+/=="}',
    ],
)
def test_encrypt_at_the_top_of_json_is_found(body: bytes) -> None:
    assert encrypted_part(body, JSON) == "YWJj+/=="


@pytest.mark.parametrize(
    ("body", "form"),
    [
        pytest.param(xml("<A>x</A>"), XML, id="none"),
        pytest.param(xml("<Encrypt></Encrypt>"), XML, id="an empty one"),
        pytest.param(xml("<Encrypt> \n</Encrypt>"), XML, id="a blank one"),
        pytest.param(xml("<Encrypt>YQ==</Encrypt>" * 2), XML, id="two"),
        pytest.param(xml("<Encrypt><A>YQ==</A></Encrypt>"), XML, id="one with elements"),
        pytest.param(xml("<Encrypt><item>YQ==</item></Encrypt>"), XML, id="one with items"),
        pytest.param(xml("<A><Encrypt>YQ==</Encrypt></A>"), XML, id="one that is nested"),
        pytest.param(xml("<A><![CDATA[<Encrypt>YQ==</Encrypt>]]></A>"), XML, id="one in CDATA"),
        pytest.param(xml("<!--<Encrypt>YQ==</Encrypt>-->"), XML, id="one in a comment"),
        pytest.param(b"<Encrypt>YQ==</Encrypt>", XML, id="as the root"),
        pytest.param(b'{"Encrypt":""}', JSON, id="an empty text"),
        pytest.param(b'{"Encrypt":1}', JSON, id="a number"),
        pytest.param(b'{"Encrypt":["YQ=="]}', JSON, id="a list"),
        pytest.param(b'{"A":{"Encrypt":"YQ=="}}', JSON, id="nested in JSON"),
        pytest.param(b'{"Encrypt":"YQ==","Encrypt":"Yg=="}', JSON, id="two in JSON"),
        pytest.param(b'[{"Encrypt":"YQ=="}]', JSON, id="in a list"),
    ],
)
def test_a_body_without_exactly_one_encrypt_is_refused(body: bytes, form: BodyFormat) -> None:
    with pytest.raises(PushMalformed):
        encrypted_part(body, form)


fragments = st.lists(
    st.sampled_from(
        [
            "<xml>",
            "</xml>",
            "<ToUserName><![CDATA[gh_1]]></ToUserName>",
            "<Encrypt><![CDATA[YQ==]]></Encrypt>",
            "<Encrypt>Yg==</Encrypt>",
            "<![CDATA[",
            "]]>",
            "<!--",
            "-->",
            "\n",
            "x",
        ]
    ),
    max_size=7,
).map("".join)


@given(fragments)
@example("<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[YQ==]]></Encrypt></xml>")
def test_what_is_found_quickly_is_what_the_parser_finds(text: str) -> None:
    body = text.encode()
    try:
        found = encrypted_part(body, XML)
    except PushMalformed:
        return
    assert parse(body, XML)["Encrypt"].strip() == found


# ---------------------------------------------------------------------------------------- writing


def test_texts_are_written_as_cdata_and_numbers_bare() -> None:
    fields = {"A": "x", "B": 1, "C": {"D": 1.5}, "E": [{"F": "y"}, {"F": "z"}]}

    assert render(fields, XML) == (
        b"<xml><A><![CDATA[x]]></A><B>1</B><C><D>1.5</D></C>"
        b"<E><item><F><![CDATA[y]]></F></item><item><F><![CDATA[z]]></F></item></E></xml>"
    )


def test_items_with_a_count_beside_them_get_no_element_around_them() -> None:
    fields = {"A": {"count": 1, "item": [{"B": "x"}]}}

    assert render(fields, XML) == (
        b"<xml><A><count>1</count><item><B><![CDATA[x]]></B></item></A></xml>"
    )


def test_json_is_written_in_utf_8_without_escapes_and_blanks() -> None:
    assert render({"A": "你", "B": [1, None]}, JSON) == '{"A":"你","B":[1,null]}'.encode()


@given(st.dictionaries(names, xml_values, max_size=5))
@example({"A": "]]>"})
@example({"A": "]]]]>>\r\n]]\r>"})
@example({"A": [["x"], [["y"]]]})
def test_what_was_written_as_xml_is_read_back(fields: dict[str, Any]) -> None:
    assert parse(render(fields, XML), XML) == fields


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_what_was_written_as_json_is_read_back(fields: dict[str, Any]) -> None:
    assert parse(render(fields, JSON), JSON) == fields


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        pytest.param({"a b": "x"}, XML, id="a blank in a name"),
        pytest.param({"A><B": "x"}, XML, id="markup in a name"),
        pytest.param({"": "x"}, XML, id="no name"),
        pytest.param({"A": "\x00"}, XML, id="a control character"),
        pytest.param({"A": "\uffff"}, XML, id="no character"),
        pytest.param({"A": "\ud800"}, XML, id="half a surrogate pair"),
        pytest.param({"A": float("inf")}, XML, id="infinity"),
        pytest.param({"A": b"x"}, XML, id="bytes"),
        pytest.param({"A": "\ud800"}, JSON, id="half a surrogate pair in JSON"),
        pytest.param({"A": float("nan")}, JSON, id="no number"),
        pytest.param({"A": b"x"}, JSON, id="bytes in JSON"),
    ],
)
def test_what_a_format_cannot_carry_is_refused(fields: dict[str, Any], form: BodyFormat) -> None:
    with pytest.raises(PushMalformed):
        render(fields, form)


@given(st.text(st.characters(exclude_categories=())), st.sampled_from(BodyFormat))
def test_any_text_is_written_or_refused_as_malformed(text: str, form: BodyFormat) -> None:
    try:
        body = render({"A": text}, form)
    except PushMalformed:
        return
    assert parse(body, form) == {"A": text}


def test_a_reply_envelope_has_its_time_bare_and_all_else_as_cdata() -> None:
    assert reply_envelope("YQ==", "0f", 1700000000, "n]]>", XML) == (
        b"<xml><Encrypt><![CDATA[YQ==]]></Encrypt><MsgSignature><![CDATA[0f]]></MsgSignature>"
        b"<TimeStamp>1700000000</TimeStamp><Nonce><![CDATA[n]]]]><![CDATA[>]]></Nonce></xml>"
    )


def test_a_push_envelope_holds_who_it_is_for_and_encrypt() -> None:
    assert push_envelope("gh_1", "YQ==", JSON) == b'{"ToUserName":"gh_1","Encrypt":"YQ=="}'
    assert push_envelope("gh_1", "YQ==", XML) == (
        b"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[YQ==]]></Encrypt></xml>"
    )


# ------------------------------------------------------------------------------------------- fuzz

_XML_SHREDS = (
    b"<xml> </xml> <A> </A> <item> </item> <![CDATA[ ]]> <!-- --> <? ?> <!DOCTYPE &#1; &lt;"
)
_JSON_SHREDS = rb"""{"A": } "\ud800" "B" [ ] , : 1e9 - """
shreds = st.lists(
    st.sampled_from(
        [*_XML_SHREDS.split(), *_JSON_SHREDS.split(), b"\n", b"\x00", b"\xff", b"Encrypt"]
    ),
    max_size=12,
).map(b"".join)


@given(st.binary() | shreds, st.sampled_from(BodyFormat))
def test_any_bytes_are_read_or_refused_as_malformed(body: bytes, form: BodyFormat) -> None:
    with contextlib.suppress(PushMalformed):
        assert isinstance(parse(body, form), dict)


@given(st.binary() | shreds, st.sampled_from(BodyFormat))
def test_any_bytes_have_an_encrypt_or_are_refused_as_malformed(
    body: bytes, form: BodyFormat
) -> None:
    with contextlib.suppress(PushMalformed):
        assert encrypted_part(body, form)


@given(st.binary() | shreds)
def test_any_bytes_have_a_format_or_are_refused_as_malformed(body: bytes) -> None:
    with contextlib.suppress(PushMalformed):
        assert format_of(body) in BodyFormat


@pytest.mark.parametrize(
    ("body", "form"), [(b"<secret>secret</wrong>", XML), (b'{"secret": secret}', JSON)]
)
def test_a_refusal_shows_nothing_of_the_body(body: bytes, form: BodyFormat) -> None:
    with pytest.raises(PushMalformed) as refused:
        parse(body, form)

    assert "secret" not in repr(refused.value)
    assert refused.value.__suppress_context__
