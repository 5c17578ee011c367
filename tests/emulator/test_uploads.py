"""Large bodies: parted and searched without being held."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from tests.emulator.platforms import form
from zhongkong.emulator.contents import BLOCK, BytesContent, Slice, find
from zhongkong.emulator.multipart import parts_of
from zhongkong.emulator.uploads import Upload, WatchScan

KEY = "aB3-" * 8


def scan(data: bytes, step: int, *watched: str) -> set[str]:
    looking = WatchScan(watched)
    for start in range(0, len(data), step):
        looking.feed(data[start : start + step])
    return looking.met


@given(before=st.binary(max_size=90), after=st.binary(max_size=90), step=st.integers(1, 64))
def test_a_watched_text_is_met_wherever_blocks_are_cut(
    before: bytes, after: bytes, step: int
) -> None:
    assert scan(before + KEY.encode() + after, step, KEY, "not there at all") == {KEY}


@given(step=st.integers(1, 200))
def test_a_percent_encoded_text_is_met_too(step: int) -> None:
    encoded = "".join(f"%{ord(letter):02x}" for letter in KEY).encode()
    assert scan(b"x" * 50 + encoded + b"y" * 50, step, KEY) == {KEY}


def test_a_text_with_blanks_is_met_as_forms_encode_it() -> None:
    assert scan(b"x=buy+in%20now&y", 5, "buy in now") == {"buy in now"}
    assert scan(b"x=buy+in+now&y", 5, "buy in now") == {"buy in now"}


def test_a_scan_remembers_no_more_than_its_longest_text_needs() -> None:
    looking = WatchScan([KEY])
    for _ in range(10):
        looking.feed(b"\0" * 100_000)
    assert len(looking._tail) <= 3 * len(KEY)


def test_without_texts_on_watch_nothing_is_met() -> None:
    assert scan(KEY.encode(), 7) == set()


@given(data=st.binary(max_size=200))
def test_the_parts_of_a_form_are_what_was_sent(data: bytes) -> None:
    content_type, body = form(data, "a b.jpg", type="image", title="片")
    parts = {part.name: part for part in parts_of(BytesContent(body), content_type)}
    if b"\r\n--bound" in data:
        return
    assert parts["media"].content.read(0, 1000) == data
    assert parts["media"].filename == "a b.jpg"
    assert (parts["type"].text(), parts["type"].filename) == ("image", None)
    assert parts["title"].text() == "片"


@given(body=st.binary(max_size=300) | st.text('-bound\r\n:;=" ', max_size=80).map(str.encode))
def test_any_body_has_parts_or_none(body: bytes) -> None:
    for content_type in ("multipart/form-data; boundary=bound", 'multipart/x; boundary="b"', ""):
        for part in parts_of(BytesContent(body), content_type):
            assert 0 <= part.content.start <= part.content.stop <= len(body)


@pytest.mark.parametrize("place", [0, BLOCK - 3, BLOCK, 2 * BLOCK - 1, 3 * BLOCK - 6])
def test_a_needle_is_found_across_blocks(place: int) -> None:
    data = bytearray(3 * BLOCK)
    data[place : place + 6] = b"needle"
    assert find(BytesContent(bytes(data)), b"needle", 0) == place
    assert find(BytesContent(bytes(data)), b"needle", place + 1) == -1


def test_a_slice_reads_nothing_beyond_its_end() -> None:
    inner = Slice(BytesContent(b"0123456789"), 2, 6)
    assert (inner.size, inner.read(0, 99), inner.read(3, 99), inner.read(9, 9)) == (
        4,
        b"2345",
        b"5",
        b"",
    )


def test_the_ends_and_the_beginnings_of_parts_are_shown_to_a_look() -> None:
    content_type, body = form(b"\0" * 500_000, title=KEY)
    upload = Upload.of(BytesContent(body), content_type, [])
    assert any(KEY in text for _, text in upload.glimpses)
    assert sum(len(text) for _, text in upload.glimpses) < 200_000


def test_many_parts_are_read_up_to_a_bound() -> None:
    part = b'--bound\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n'
    body = BytesContent(part * 5000 + b"--bound--\r\n")
    assert len(parts_of(body, form(b"")[0])) == 100
