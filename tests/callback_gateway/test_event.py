"""One event has one id, and two events have two."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson
import pytest

from callback_gateway.cloud_event import cloud_event, malformed_event, marked
from callback_gateway.event import event_of, malformed_id
from callback_gateway.inbox.records import Mark
from zhongkong.wechat.catalogue import normalise

TEXT: dict[str, Any] = {
    "ToUserName": "gh_0123456789ab",
    "FromUserName": "oUser1",
    "CreateTime": 1700000000,
    "MsgType": "text",
    "Content": "买入",
    "MsgId": "6054768590064713728",
}
CLICK: dict[str, Any] = {
    "ToUserName": "gh_0123456789ab",
    "FromUserName": "oUser1",
    "CreateTime": 1700000000,
    "MsgType": "event",
    "Event": "CLICK",
    "EventKey": "BUY_IN",
}


def event(fields: dict[str, Any], account: str = "shop", **changed: Any) -> Any:
    return event_of(normalise({**fields, **changed}), account)


def test_the_same_message_has_the_same_id_whatever_the_order_of_its_fields() -> None:
    turned = dict(reversed(TEXT.items()))
    assert event(turned).id == event(TEXT).id


@pytest.mark.parametrize(
    "changed",
    [
        {"FromUserName": "oUser2"},
        {"CreateTime": 1700000001},
        {"MsgId": "6054768590064713729"},
        {"ToUserName": "gh_ba9876543210"},
    ],
    ids=lambda changed: f"another {next(iter(changed))}",
)
def test_a_message_is_told_by_users_time_and_msg_id(changed: dict[str, Any]) -> None:
    assert event(TEXT, **changed).id != event(TEXT).id


def test_a_message_is_the_same_though_its_media_address_was_renewed() -> None:
    image = {**TEXT, "MsgType": "image", "PicUrl": "http://a/1", "MediaId": "m"}
    assert event(image, PicUrl="http://a/2").id == event(image).id


@pytest.mark.parametrize(
    "changed",
    [
        {"EventKey": "SELL"},
        {"Event": "VIEW"},
        {"CreateTime": 1700000001},
        {"FromUserName": "oUser2"},
        {"MenuId": "430000001"},
    ],
    ids=lambda changed: f"another {next(iter(changed))}",
)
def test_two_events_of_one_second_are_told_by_all_their_fields(changed: dict[str, Any]) -> None:
    assert event(CLICK, **changed).id != event(CLICK).id


def test_a_user_s_event_in_two_accounts_is_two_events() -> None:
    assert event(CLICK, "shop").id != event(CLICK, "bank").id


def test_ids_are_fit_for_headers_and_file_names() -> None:
    assert event(TEXT).id.startswith("msg_")
    assert event(CLICK).id.startswith("evt_")
    assert malformed_id("shop", b"<xml").startswith("bad_")
    assert event(TEXT).id.replace("_", "").isalnum()


def test_the_document_is_a_cloud_event() -> None:
    clicked = event(CLICK)
    assert orjson.loads(cloud_event(clicked)) == {
        "specversion": "1.0",
        "id": clicked.id,
        "source": "wechat/shop",
        "type": "wechat.event.click",
        "subject": "oUser1",
        "time": "2023-11-14T22:13:20Z",
        "datacontenttype": "application/json",
        "data": {
            "to_user_name": "gh_0123456789ab",
            "from_user_name": "oUser1",
            "create_time": 1700000000,
            "msg_type": "event",
            "event": "CLICK",
            "event_key": "BUY_IN",
        },
    }


def test_a_time_that_no_calendar_holds_makes_a_document_all_the_same() -> None:
    far = dataclasses.replace(event(CLICK), time=10**18)
    assert orjson.loads(cloud_event(far))["time"] == "9999-12-31T23:59:59Z"


def test_a_malformed_callback_keeps_its_bytes() -> None:
    document = orjson.loads(malformed_event("bad_1", "shop", b"<xml", 1700000000.5))
    assert document["type"] == "wechat.malformed"
    assert document["data_base64"] == "PHhtbA=="


def test_marks_stand_beside_the_other_attributes() -> None:
    document = cloud_event(event(TEXT))
    assert marked(document, frozenset()) == document
    told = orjson.loads(marked(document, {Mark.SPOOLED, Mark.REDRIVEN}))
    assert told["redriven"] is True
    assert told["spooled"] is True
    assert told["data"] == orjson.loads(document)["data"]
