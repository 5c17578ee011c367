from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.wechat.push_samples import SAMPLES
from zhongkong.wechat.catalogue import (
    KNOWN_EVENTS,
    KNOWN_MESSAGES,
    Push,
    normalise,
    snake_case,
)
from zhongkong.wechat.push import BodyFormat, PushMalformed, parse, render
from zhongkong.wechat.push_kinds import DECIMALS, EVENTS, INTEGERS, LISTS, MESSAGES

XML, JSON = BodyFormat.XML, BodyFormat.JSON

COMMON: dict[str, Any] = {
    "ToUserName": "gh_0123456789ab",
    "FromUserName": "oABCDEFGHIJKLMNOPQRSTUVWXYZ0",
    "CreateTime": 1700000000,
}
MSG_ID = 23456789012345678901


def push_of(fields: Mapping[str, Any], form: BodyFormat = JSON) -> Push:
    return normalise(parse(render({**COMMON, **fields}, form), form))


def xml_push(inside: str) -> Push:
    common = render(COMMON, XML).decode().removesuffix("</xml>")
    return normalise(parse(f"{common}{inside}</xml>".encode(), XML))


def name_of(case: str) -> str:
    return case.split(maxsplit=1)[0]


def typed(case: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields together with what says which kind of push they belong to."""
    name = name_of(case)
    if name in MESSAGES:
        return {"MsgType": name, **fields, "MsgId": MSG_ID}
    return {"MsgType": "event", "Event": name, **fields}


def from_xml(case: str) -> Push:
    kind = render(typed(case, {}), XML).decode()
    return xml_push(kind.removeprefix("<xml>").removesuffix("</xml>") + SAMPLES[case].xml)


def from_json(case: str) -> Push:
    return push_of(typed(case, SAMPLES[case].json), JSON)


@pytest.mark.parametrize("case", SAMPLES)
def test_a_push_means_the_same_in_xml_and_in_json(case: str) -> None:
    assert from_xml(case) == from_json(case)


@pytest.mark.parametrize("case", SAMPLES)
def test_a_push_holds_every_field_under_its_name(case: str) -> None:
    common = {snake_case(name): value for name, value in (COMMON | typed(case, {})).items()}
    if "msg_id" in common:
        common["msg_id"] = str(MSG_ID)

    assert from_xml(case).fields == common | SAMPLES[case].expected


@pytest.mark.parametrize("case", SAMPLES)
def test_a_push_means_the_same_when_it_is_written_anew(case: str) -> None:
    assert push_of(typed(case, SAMPLES[case].json), XML) == from_json(case)


def types_of(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: types_of(inner) for name, inner in value.items()}
    return [types_of(inner) for inner in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize("case", SAMPLES)
def test_numbers_are_of_one_type_in_xml_and_in_json(case: str) -> None:
    assert types_of(from_xml(case).fields) == types_of(from_json(case).fields)


def test_every_message_of_the_catalogue_has_a_sample() -> None:
    assert set(MESSAGES) <= {name_of(case) for case in SAMPLES}
    assert set(MESSAGES) == KNOWN_MESSAGES


def test_every_event_of_the_catalogue_has_a_sample() -> None:
    assert set(EVENTS) <= {name_of(case) for case in SAMPLES}
    assert {event.lower() for event in EVENTS} == KNOWN_EVENTS


@pytest.mark.parametrize(("name", "documented"), [*MESSAGES.items(), *EVENTS.items()])
def test_every_field_of_the_catalogue_stands_in_a_sample(
    name: str, documented: tuple[str, ...]
) -> None:
    shown: set[str] = set()
    for case, sample in SAMPLES.items():
        if name_of(case) == name:
            shown |= set(sample.expected)

    assert set(documented) <= shown


def test_a_field_is_a_number_in_one_way() -> None:
    assert not INTEGERS & DECIMALS
    assert {"fail_idx"} >= LISTS & INTEGERS


# ------------------------------------------------------------------------------------ what it is


def test_a_message_is_named_by_its_type() -> None:
    push = push_of({"MsgType": "text", "Content": "hi", "MsgId": 1})

    assert (push.kind, push.name, push.event, push.msg_id) == ("message", "text", None, "1")
    assert (push.to_user, push.from_user) == (COMMON["ToUserName"], COMMON["FromUserName"])
    assert push.create_time == 1700000000


def test_an_event_is_named_in_lower_case_and_keeps_what_wechat_wrote() -> None:
    push = push_of({"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": 1})

    assert (push.kind, push.name) == ("event", "templatesendjobfinish")
    assert push.event == push.fields["event"] == "TEMPLATESENDJOBFINISH"
    assert push.msg_id == "1"


@pytest.mark.parametrize("fields", [{}, {"MsgId": ""}, {"MsgId": {"A": 1}}, {"MsgId": None}])
def test_a_push_without_an_id_has_none(fields: dict[str, Any]) -> None:
    assert push_of({"MsgType": "text", **fields}).msg_id is None


def test_an_event_in_a_message_is_a_field_like_others() -> None:
    push = push_of({"MsgType": "text", "Event": "CLICK"})

    assert (push.kind, push.event) == ("message", None)


def test_an_unknown_message_passes_whole() -> None:
    push = push_of({"MsgType": "hologram", "Depth": {"NearPlane": [1, {"A": "x"}]}})

    assert (push.kind, push.name) == ("message", "hologram")
    assert push.fields["depth"] == {"near_plane": ["1", {"a": "x"}]}


def test_who_said_what_is_in_no_repr() -> None:
    shown = repr(push_of({"MsgType": "text", "Content": "my secret", "MsgId": 1}))

    assert "secret" not in shown
    assert COMMON["FromUserName"] not in shown


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"ToUserName": ""}, "ToUserName", id="nobody it is for"),
        pytest.param({"FromUserName": ""}, "FromUserName", id="nobody it is from"),
        pytest.param({"FromUserName": {"A": 1}}, "FromUserName", id="a sender that is no text"),
        pytest.param({"MsgType": ""}, "MsgType", id="no type"),
        pytest.param({"MsgType": ["text"]}, "MsgType", id="a type that is no text"),
        pytest.param({"MsgType": "event"}, "Event", id="an event without its name"),
        pytest.param({"MsgType": "event", "Event": ""}, "Event", id="an empty event"),
        pytest.param({"CreateTime": ""}, "CreateTime", id="no time"),
        pytest.param({"CreateTime": "yesterday"}, "CreateTime", id="a time that is no number"),
        pytest.param({"CreateTime": 1.5}, "CreateTime", id="half a second"),
        pytest.param({"CreateTime": -1}, "CreateTime", id="a time before 1970"),
        pytest.param({"CreateTime": 10**17}, "CreateTime", id="a time without a date"),
        pytest.param({"CreateTime": 10**30}, "CreateTime", id="a time beyond all numbers"),
        pytest.param({"CreateTime": True}, "CreateTime", id="a time that is true"),
    ],
)
@pytest.mark.parametrize("form", list(BodyFormat))
def test_a_push_without_its_common_fields_is_malformed(
    change: dict[str, Any], said: str, form: BodyFormat
) -> None:
    with pytest.raises(PushMalformed, match=said):
        push_of({"MsgType": "text", **change}, form)


@pytest.mark.parametrize("name", ["ToUserName", "FromUserName", "CreateTime", "MsgType"])
def test_a_common_field_that_is_missing_is_named(name: str) -> None:
    fields = {**COMMON, "MsgType": "text"}
    del fields[name]

    with pytest.raises(PushMalformed, match=name):
        normalise(fields)


def test_two_spellings_of_one_field_are_malformed() -> None:
    with pytest.raises(PushMalformed, match="spelling"):
        push_of({"MsgType": "text", "MsgId": 1, "MsgID": 2})


def test_a_name_without_end_is_malformed() -> None:
    with pytest.raises(PushMalformed, match="128"):
        push_of({"MsgType": "text", "A" * 129: 1})


# ---------------------------------------------------------------------------- names and numbers


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ToUserName", "to_user_name"),
        ("MsgId", "msg_id"),
        ("MsgID", "msg_id"),
        ("MediaId16K", "media_id_16k"),
        ("Location_X", "location_x"),
        ("PicUrl", "pic_url"),
        ("PicMd5Sum", "pic_md5_sum"),
        ("HQMusicUrl", "hq_music_url"),
        ("OpenID", "open_id"),
        ("bizmsgmenuid", "bizmsgmenuid"),
        ("trace_id", "trace_id"),
        ("SendPicsInfo", "send_pics_info"),
        ("SubscribeMsgPopupEvent", "subscribe_msg_popup_event"),
        ("中文", "中文"),
    ],
)
def test_names_become_snake_case(name: str, expected: str) -> None:
    assert snake_case(name) == expected


@pytest.mark.parametrize(
    ("written", "scale"),
    [
        ("16", 16),
        ("-16", -16),
        ("016", 16),
        ("", ""),
        ("1.5", "1.5"),
        ("x", "x"),
        ("１６", "１６"),
        ("9" * 19, "9" * 19),
    ],
)
def test_a_number_that_is_none_stays_text(written: str, scale: object) -> None:
    assert xml_push(f"<MsgType>x</MsgType><Scale>{written}</Scale>").fields["scale"] == scale


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("23.134521", 23.134521),
        ("-0.5", -0.5),
        ("23", 23.0),
        ("1e-07", 1e-07),
        ("", ""),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1_0", "1_0"),
        ("1e999", "1e999"),
    ],
)
def test_a_decimal_number_that_is_none_stays_text(written: str, place: object) -> None:
    push = xml_push(f"<MsgType>x</MsgType><Location_X>{written}</Location_X>")

    assert push.fields["location_x"] == place
    assert type(push.fields["location_x"]) is type(place)


@pytest.mark.parametrize(
    ("inside", "pictures"),
    [
        pytest.param("<PicList/>", [], id="none"),
        pytest.param("<PicList><item>a</item></PicList>", ["a"], id="one"),
        pytest.param("<PicList><item>a</item><item>b</item></PicList>", ["a", "b"], id="two"),
        pytest.param("<PicList>a</PicList>", ["a"], id="one without its item"),
    ],
)
def test_a_list_is_a_list_however_many_it_holds(inside: str, pictures: list[str]) -> None:
    push = xml_push(f"<MsgType>x</MsgType><SendPicsInfo>{inside}</SendPicsInfo>")

    assert push.fields["send_pics_info"] == {"pic_list": pictures}


@pytest.mark.parametrize("items", [{"item": [{"A": 1}]}, {"item": {"A": 1}}, [{"A": 1}]])
def test_json_may_keep_the_items_of_a_list(items: object) -> None:
    push = push_of({"MsgType": "x", "SomeInfo": {"PicList": items, "OtherThings": items}})
    other = push.fields["some_info"]["other_things"]

    assert push.fields["some_info"]["pic_list"] == [{"a": "1"}]
    assert other == [{"a": "1"}]


names = st.sampled_from(["Content", "Count", "Scale", "Location_X", "MsgId", "Deep", "KfAccount"])
scalars = (
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufffe\uffff")
    )
    | st.integers(-(10**25), 10**25)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none()
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(names, inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(names, values))
def test_any_fields_mean_the_same_in_xml_and_in_json(fields: dict[str, Any]) -> None:
    told = {"MsgType": "x", **fields}

    assert push_of(told, XML) == push_of(told, JSON)


@given(st.dictionaries(st.text(max_size=8) | names, values, max_size=6))
def test_any_object_is_a_push_or_malformed(fields: dict[str, Any]) -> None:
    with contextlib.suppress(PushMalformed):
        assert push_of({"MsgType": "event", "Event": "x", **fields}).name == "x"
