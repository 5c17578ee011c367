"""Log lines are structured, free of secrets, and never hold anybody up."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import threading
from typing import Any

import pytest
import structlog
from hypothesis import given, settings, strategies as st

from tests.runtime.test_redaction import SECRETS, SHAPES
from zhongkong.runtime import logs
from zhongkong.runtime.log_fields import cleaned, to_json
from zhongkong.runtime.log_writer import LineWriter
from zhongkong.runtime.settings import Secret

VALUE = "Zq7xW3eR5tY8uI0o"
PLAIN_DATA = st.recursive(
    st.none() | st.text() | st.integers(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=20,
)
NOON = 1_700_000_000.25


class FixedClock:
    def now(self) -> float:
        return NOON

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class Log:
    """The lines written so far."""

    def __init__(self, *, json: bool = True, level: logs.Level = "info") -> None:
        self.stream = io.StringIO()
        self.output = logs.configure(
            "token_service", stream=self.stream, json=json, level=level, clock=FixedClock()
        )

    @property
    def text(self) -> str:
        assert self.output.close()
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


def test_a_line_is_json_with_time_level_service_and_fields() -> None:
    log = Log()
    logs.get_logger(account="shop").info("token_refreshed", lifetime_s=7200)
    assert log.lines == [
        {
            "timestamp": "2023-11-14T22:13:20.250Z",
            "level": "info",
            "service": "token_service",
            "event": "token_refreshed",
            "account": "shop",
            "lifetime_s": 7200,
        }
    ]


def test_bound_context_is_on_every_line() -> None:
    log = Log()
    structlog.contextvars.bind_contextvars(request_id="r1")
    logs.get_logger().info("a_happened")
    logging.getLogger("aiohttp").warning("b")
    assert [line["request_id"] for line in log.lines] == ["r1", "r1"]


def test_lines_below_the_level_are_not_written() -> None:
    log = Log(level="warning")
    logs.get_logger().info("a_happened")
    logs.get_logger().warning("b_happened")
    assert [line["event"] for line in log.lines] == ["b_happened"]


def test_a_logger_made_before_configure_uses_the_latest_output() -> None:
    logger = logs.get_logger()
    first = Log()
    logger.info("a_happened")
    second = Log()
    logger.info("b_happened")
    assert [line["event"] for line in first.lines] == ["a_happened"]
    assert [line["event"] for line in second.lines] == ["b_happened"]


def test_libraries_are_heard_from_warning_on() -> None:
    log = Log()
    logging.getLogger("redis").info("quiet")
    logging.getLogger("redis").warning("lost %s", "redis://u:hunter2@h")
    [line] = log.lines
    assert line["event"] == "library_logged"
    assert (line["logger"], line["level"]) == ("redis", "warning")
    assert line["message"] == "lost redis://[redacted]@h"


def test_a_library_with_a_wrong_format_string_is_still_heard() -> None:
    log = Log()
    logging.getLogger("asyncio").error("%d", "x")
    assert log.lines[0]["message"] == "%d"


def fail(token: str) -> None:
    local = token * 2
    raise RuntimeError(f"GET /x?access_token={token} failed", len(local))


def test_an_exception_is_structured_and_shows_neither_locals_nor_secrets() -> None:
    log = Log()
    try:
        fail(VALUE)
    except RuntimeError:
        logs.get_logger().exception("call_failed")
    [line] = log.lines
    assert line["level"] == "error"
    assert line["exception"][0]["exc_type"] == "RuntimeError"
    assert line["exception"][0]["frames"][-1]["name"] == "fail"
    assert VALUE not in log.text


def test_on_a_terminal_an_exception_is_readable_and_scrubbed() -> None:
    log = Log(json=False)
    try:
        fail(VALUE)
    except RuntimeError as error:
        logs.get_logger().error("call_failed", exc_info=error)
    assert "call_failed" in log.text
    assert "in fail" in log.text
    assert VALUE not in log.text


def test_what_callers_send_does_not_steer_a_terminal() -> None:
    log = Log(json=False)
    logs.get_logger().info("path_refused", path="\x1b[2J")
    assert "\x1b" not in log.text


@pytest.mark.parametrize("name", ["secret", "access_token", "key", "Authorization", "aes_keys"])
def test_the_value_of_a_secret_field_is_replaced_at_any_depth(name: str) -> None:
    fields = {name: "v", "a": [{"b": {name: ["v"]}}], "version": "1"}
    assert cleaned(fields) == {
        name: "[redacted]",
        "a": [{"b": {name: "[redacted]"}}],
        "version": "1",
    }


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=settings().max_examples // 4)
@given(secret=SECRETS)
def test_a_secret_in_any_shape_at_any_depth_is_cut(shape: str, secret: str) -> None:
    text = shape.format(secret)
    fields = {"event": text, "a": [text, {"b": (text,)}], "c": ValueError(text), "d": text.encode()}
    assert secret.encode() not in to_json(cleaned(fields))


def test_a_secret_object_is_shown_by_its_source() -> None:
    assert cleaned({"source": Secret.fixed("hunter2", "x")}) == {"source": "Secret(fixed: x)"}


class Unshowable:
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "value",
    [2**70, float("nan"), "\udcff", Unshowable(), {1: {2}}, [[[[[[[[[[[[[[1]]]]]]]]]]]]]], b"\xff"],
)
def test_any_value_can_be_logged(value: object) -> None:
    log = Log()
    logs.get_logger().info("odd_value_met", value=value)
    assert log.lines[0]["event"] == "odd_value_met"


@given(PLAIN_DATA)
def test_any_plain_data_becomes_one_line(value: object) -> None:
    line = to_json(cleaned({"event": "x", "value": value}))
    assert line.count(b"\n") == 1
    json.loads(line)


def test_a_long_text_is_cut() -> None:
    assert len(cleaned({"a": "x" * 100_000})["a"]) < 20_000


def test_an_audit_line_has_its_fixed_fields() -> None:
    log = Log()
    line = logs.AuditLine("token_handed_out", ("client", "version", "lifetime_s"))
    line.write("orders", "v1", 7200)
    assert log.lines == [
        {
            "timestamp": "2023-11-14T22:13:20.250Z",
            "level": "info",
            "service": "token_service",
            "event": "token_handed_out",
            "client": "orders",
            "version": "v1",
            "lifetime_s": 7200,
        }
    ]


def test_an_audit_line_with_a_secret_field_can_not_be_made() -> None:
    with pytest.raises(ValueError, match="access_token could hold a secret"):
        logs.AuditLine("x", ("client", "access_token"))


def test_an_audit_line_needs_a_value_for_each_field() -> None:
    Log()
    with pytest.raises(ValueError, match="zip"):
        logs.AuditLine("x", ("client",)).write()


def test_a_line_after_close_is_written_at_once() -> None:
    log = Log()
    assert log.output.close()
    logs.get_logger().info("late_line")
    assert "late_line" in log.stream.getvalue()


class StuckStream(io.StringIO):
    """A reader that doesn't read until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = threading.Event()
        self.asked = threading.Event()

    def write(self, text: str) -> int:
        self.asked.set()
        assert self.reads.wait(10)
        return super().write(text)


def test_a_stuck_reader_costs_lines_that_are_counted_but_no_time() -> None:
    stream = StuckStream()
    writer = LineWriter(stream, lambda count: b"dropped %d\n" % count, max_queued_bytes=100)
    writer.write(b"first\n")
    assert stream.asked.wait(10)
    for _ in range(20):
        writer.write(b"123456789\n")
    assert writer.dropped == 11
    assert writer.close(deadline_s=0.01) is False
    stream.reads.set()
    assert writer.close(deadline_s=10)
    assert stream.getvalue() == "first\n" + "123456789\n" * 9 + "dropped 11\n"


def test_a_broken_pipe_is_counted_and_does_not_crash() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        writer = LineWriter(stream, lambda count: b"dropped %d\n" % count)
        os.close(reading)
        writer.write(b"x\n")
        assert writer.close()
        assert writer.dropped == 1


def test_a_pipe_in_non_blocking_mode_gets_every_byte() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    got: list[bytes] = []
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "w") as stream:
        writer = LineWriter(stream, lambda count: b"dropped\n")
        for _ in range(100):
            writer.write(b"x" * 9_999 + b"\n")
        reader = threading.Thread(target=lambda: got.append(source.read(1_000_000)))
        reader.start()
        assert writer.close(deadline_s=10)
        reader.join(10)
    assert got == [(b"x" * 9_999 + b"\n") * 100]


PROGRAM = """
from zhongkong.runtime import logs
logs.configure("s", json=True)
for number in range({count}):
    logs.get_logger().info("line_written", number=number)
{ending}
"""


@pytest.mark.parametrize("ending", ["", "raise SystemExit(3)", "raise RuntimeError"])
def test_a_normal_end_of_the_process_loses_nothing(ending: str) -> None:
    program = PROGRAM.format(count=2000, ending=ending)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=60, check=False
    )
    numbers = [json.loads(line)["number"] for line in done.stdout.splitlines()]
    assert numbers == list(range(2000))


def test_a_process_whose_reader_has_gone_ends_as_it_would_have() -> None:
    program = PROGRAM.format(count=100, ending="")
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0
