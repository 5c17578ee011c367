"""Durations and sizes carry their unit."""

from __future__ import annotations

from typing import Annotated

import pytest
from hypothesis import given, strategies as st
from pydantic import TypeAdapter, ValidationError

from zhongkong.runtime.settings import (
    Bounds,
    ByteSize,
    Duration,
    format_duration,
    format_size,
    parse_duration,
    parse_size,
)

FACTORS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

durations: TypeAdapter[float] = TypeAdapter(Duration)
sizes: TypeAdapter[int] = TypeAdapter(ByteSize)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("300ms", 0.3), ("4s", 4.0), ("5m", 300.0), ("2h", 7200.0), ("4.5s", 4.5)],
)
def test_a_duration_is_read_as_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "4", "4 s", "-4s", "4S", "s", "1d", "1h30m", "٤s", "4s\n", "inf"]
)
def test_what_is_no_duration_is_refused_with_the_forms_that_are(text: str) -> None:
    with pytest.raises(ValueError, match="write a number with its unit, as 250ms, 4s, 5m or 2h"):
        parse_duration(text)


@given(st.integers(0, 10**9), st.sampled_from(sorted(FACTORS)))
def test_a_number_and_its_unit_multiply(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}") == pytest.approx(number * FACTORS[unit])


@given(st.integers(0, 10**9))
def test_a_formatted_duration_reads_back(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds)


@given(st.text(max_size=12))
def test_any_text_is_a_duration_or_refused_politely(text: str) -> None:
    refusal = "is not a duration"
    try:
        parse_duration(text)
    except ValueError as error:
        refusal = str(error)
    assert refusal.startswith("is not a duration")


def test_a_file_may_not_give_a_plain_number() -> None:
    with pytest.raises(ValidationError, match="is not a duration"):
        durations.validate_json("4")


def test_code_may_give_a_plain_number() -> None:
    assert durations.validate_python(4) == 4.0


@pytest.mark.parametrize(
    ("text", "size"), [("512B", 512), ("256KiB", 262144), ("64MiB", 67108864), ("1GiB", 2**30)]
)
def test_a_size_is_read_as_bytes_and_written_back(text: str, size: int) -> None:
    assert parse_size(text) == size
    assert format_size(size) == text


@pytest.mark.parametrize("text", ["64MB", "64M", "64", "1.5B"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        sizes.validate_json(f'"{text}"')


def test_bounds_name_the_limit_as_it_is_written() -> None:
    bounded: TypeAdapter[float] = TypeAdapter(Annotated[Duration, Bounds("1s", "1m")])
    assert bounded.validate_json('"60s"') == 60.0
    with pytest.raises(ValidationError, match="write at least 1s"):
        bounded.validate_json('"999ms"')
    with pytest.raises(ValidationError, match="write at most 1m"):
        bounded.validate_json('"2m"')


def test_a_duration_has_a_json_schema_and_is_dumped_as_it_is_written() -> None:
    assert durations.json_schema()["type"] == "string"
    assert durations.dump_python(300.0, mode="json") == "5m"
    assert durations.dump_python(300.0) == 300.0
