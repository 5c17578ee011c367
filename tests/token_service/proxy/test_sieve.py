from __future__ import annotations

import hashlib
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given, strategies as st

from token_service.proxy.sieve import (
    HOLD_BYTES,
    SeenKeys,
    Sieve,
    StreamSieve,
    escaped_parts,
    words,
)

KEY = "0123456789abcdefghijklmnopqrstuv"
OTHER = "another-client_key-ABCDEFGHIJK"
OPAQUE = "zkt1_" + "Zx-_9" * 20
DIGESTS = {hashlib.sha256(key.encode()).digest() for key in (KEY, OTHER)}


def sieve(*seen: str) -> Sieve:
    keys = SeenKeys()
    for number, key in enumerate(seen):
        keys.note(f"client {number}", key)
    return Sieve("", lambda word: hashlib.sha256(word).digest() in DIGESTS, keys)


def everything_encoded(text: str) -> str:
    return "".join(f"%{ord(c):02x}" for c in text)


def json_escaped(text: str) -> str:
    return "".join(f"\\u{ord(c):04x}" for c in text)


@pytest.mark.parametrize("secret", [KEY, OTHER, OPAQUE])
@pytest.mark.parametrize(
    "written",
    [str, quote, everything_encoded, json_escaped, lambda t: quote(everything_encoded(t))],
)
@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ('{"x":"', '"}'), ("a=", "&b"), (" ", ".")]
)
def test_a_credential_is_found_however_it_is_written(
    secret: str, written: object, before: str, after: str
) -> None:
    text = written(secret)  # type: ignore[operator]

    assert sieve().catches(f"{before}{text}{after}".encode())


@pytest.mark.parametrize("around", [2, 600, 100_000])
def test_a_key_that_was_seen_is_found_inside_a_longer_word(around: int) -> None:
    data = b"x" * around + KEY.encode() + b"y" * around

    assert sieve(OTHER, KEY).catches(data)
    assert not sieve(OTHER).catches(data)


@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
@pytest.mark.parametrize("user", ["", "u:", "us:", "user:", "\u00fc\u00ff:"])
def test_a_key_is_found_in_base64_too(encode: Callable[[bytes], bytes], user: str) -> None:
    packed = encode(f"{user}{KEY}".encode())

    assert sieve().catches_packed(b"X-Auth: Basic " + packed + b"\nA: b")
    assert sieve().catches_packed(b"a=1&b=" + packed.rstrip(b"="))
    assert not sieve().catches_packed(encode(f"{user}{KEY[:-1]}!".encode()))


def test_what_came_with_the_call_is_found_anywhere() -> None:
    strange = "a key with spaces & signs ü"

    assert Sieve(strange, lambda _: False, SeenKeys()).catches(f"x{strange}y".encode())


@pytest.mark.parametrize(
    "data",
    [b"", b"zkt1_short", KEY[:-1].encode(), json.dumps({"a": "b" * 600}).encode(), b"\xff" * 100],
)
def test_other_bytes_pass(data: bytes) -> None:
    assert not sieve(OTHER).catches(data)


@given(st.lists(st.text("ab-_/ .", max_size=60), max_size=30))
def test_every_whole_word_of_a_key_s_length_is_looked_at(parts: list[str]) -> None:
    text = "/".join(parts)
    expected = [
        word for word in text.replace(".", " ").replace("/", " ").split(" ") if len(word) >= 24
    ]

    assert list(words(text.encode())) == [word.encode() for word in expected]


@given(
    st.integers(0, 3 * HOLD_BYTES),
    st.integers(0, 3 * HOLD_BYTES),
    st.lists(st.integers(1, 5000), min_size=1, max_size=20),
    st.sampled_from([KEY, OPAQUE, everything_encoded(KEY), json_escaped(OTHER)]),
)
def test_no_part_of_a_credential_passes_however_it_is_cut(
    before: int, after: int, cuts: list[int], secret: str
) -> None:
    data = b" " * before + secret.encode() + b" " * after
    stream, passed = StreamSieve(sieve()), b""
    at, found = 0, False
    for cut in [*cuts, len(data)]:
        released = stream.feed(data[at : at + cut])
        at += cut
        if released is None:
            found = True
            break
        passed += released
    assert found
    assert not passed.strip()


@given(st.binary(max_size=3 * HOLD_BYTES), st.integers(1, 4000))
def test_a_harmless_stream_keeps_every_byte(data: bytes, cut: int) -> None:
    stream, passed = StreamSieve(sieve()), b""
    for at in range(0, len(data), cut):
        passed += stream.feed(data[at : at + cut]) or b""

    assert passed + stream.rest() == data


@given(
    st.text("%25\\u00c41/z ", max_size=3000),
    st.lists(st.sampled_from([str, everything_encoded, json_escaped]), min_size=1, max_size=9),
    st.text("%25\\u00c41/z ", max_size=3000),
    st.sampled_from([KEY, OTHER, OPAQUE]),
    st.booleans(),
)
def test_a_credential_among_escapes_is_found_as_if_all_of_them_were_undone(
    before: str, ways: list[Callable[[str], str]], after: str, secret: str, twice: bool
) -> None:
    written = "".join(ways[at % len(ways)](letter) for at, letter in enumerate(secret))
    data = f"{before} {quote(written) if twice else written} {after}".encode()

    assert sieve().catches(data)
    assert sieve(KEY, OTHER).catches(data)


@given(st.binary(max_size=200), st.integers(0, 5000), st.integers(0, 5000))
def test_escapes_far_apart_are_looked_at_one_by_one(noise: bytes, gap: int, end: int) -> None:
    plain = noise.replace(b"%", b" ").replace(b"\\", b" ")
    data = b"%20" + plain + b" " * gap + b"\\u0041" + b" " * end

    parts = list(escaped_parts(data))

    assert all(part in data for part in parts)
    assert sum(part.count(b"%20") for part in parts) == 1
    assert sum(part.count(b"\\u0041") for part in parts) == 1
