from __future__ import annotations

import json
from io import StringIO
from typing import Any

from zhongkong.runtime import logs

LINE = logs.AuditLine("token_handed_out", ("request_id", "client", "lifetime_s"))


def written(stream: StringIO) -> list[dict[str, Any]]:
    logs.close()
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_ready_line_is_the_line_that_it_stands_for() -> None:
    stream = StringIO()
    logs.configure("token_service", stream=stream, json=True)
    LINE.ready('a "client" of ü', 7200).write("r-1")
    LINE.write("r-1", 'a "client" of ü', 7200)

    ready, plain = written(stream)
    assert list(ready) == list(plain)
    assert {**ready, "timestamp": ""} == {**plain, "timestamp": ""}


def test_a_ready_line_follows_the_output_when_it_is_configured_anew() -> None:
    first, second = StringIO(), StringIO()
    ready = LINE.ready("orders", 1)
    logs.configure("one", stream=first, json=True)
    ready.write("r-1")
    logs.configure("two", stream=second, json=True)
    ready.write("r-2")

    assert [line["service"] for line in written(second)] == ["two"]
    assert [json.loads(line)["request_id"] for line in first.getvalue().splitlines()] == ["r-1"]


def test_a_person_sees_a_ready_line_like_any_other() -> None:
    stream = StringIO()
    logs.configure("token_service", stream=stream, json=False)
    LINE.ready("orders", 1).write("r-1")
    logs.close()

    assert "token_handed_out" in stream.getvalue()
    assert "orders" in stream.getvalue()


def test_a_line_of_one_field_can_be_ready_too() -> None:
    stream = StringIO()
    logs.configure("token_service", stream=stream, json=True)
    logs.AuditLine("seen", ("request_id",)).ready().write("r-1")

    (line,) = written(stream)
    assert (line["event"], line["request_id"]) == ("seen", "r-1")
