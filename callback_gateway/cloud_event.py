"""PURE: an event as a CloudEvents 1.0 document, in structured mode: made once, stored, sent."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import orjson

from callback_gateway.event import MALFORMED_TYPE

if TYPE_CHECKING:
    from collections.abc import Collection

    from callback_gateway.event import Event
    from callback_gateway.inbox.records import Mark

CONTENT_TYPE: Final = "application/cloudevents+json"

_YEAR_9999: Final = 253_402_300_799


def cloud_event(event: Event) -> bytes:
    """The document of an event."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": event.id,
            "source": _source(event.account),
            "type": event.type,
            "subject": event.user,
            "time": _moment(event.time),
            "datacontenttype": "application/json",
            "data": event.data,
        },
        option=orjson.OPT_NON_STR_KEYS,
    )


def malformed_event(event_id: str, account: str, content: bytes, received_at: float) -> bytes:
    """The document of a genuine callback that can't be read: its bytes, for whoever looks."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": _source(account),
            "type": MALFORMED_TYPE,
            "time": _moment(int(received_at)),
            "data_base64": base64.b64encode(content).decode(),
        }
    )


def marked(document: bytes, marks: Collection[Mark]) -> bytes:
    """The document with an extension attribute for each mark: `"redriven": true`."""
    if not marks:
        return document
    attributes = b"".join(b',"%s":true' % mark.value.encode() for mark in sorted(marks))
    return document[:-1] + attributes + b"}"


def _source(account: str) -> str:
    return f"wechat/{account}"


@lru_cache(maxsize=1024)
def _moment(seconds: int) -> str:
    # WeChat's own clock decides; what no calendar holds is held to its ends.
    moment = datetime.fromtimestamp(min(max(seconds, 0), _YEAR_9999), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
