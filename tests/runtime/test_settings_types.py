"""Addresses, patterns and digests."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from pydantic import TypeAdapter, ValidationError

from zhongkong.runtime.settings import Glob, HostPort, PathGlob, Sha256Hex

digests: TypeAdapter[str] = TypeAdapter(Sha256Hex)
globs: TypeAdapter[Glob] = TypeAdapter(Glob)
path_globs: TypeAdapter[PathGlob] = TypeAdapter(PathGlob)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:8081", "127.0.0.1", 8081),
        ("[::1]:8081", "::1", 8081),
        ("localhost:0", "localhost", 0),
        ("token-service.prod:80", "token-service.prod", 80),
    ],
)
def test_an_address_is_read_and_written_back(text: str, host: str, port: int) -> None:
    address = HostPort.parse(text)
    assert (address.host, address.port, str(address)) == (host, port, text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("8081", "write HOST:PORT"),
        ("127.0.0.1", "write HOST:PORT"),
        ("127.0.0.1:65536", "write HOST:PORT"),
        ("http://127.0.0.1:80", "write HOST:PORT"),
        ("::1:80", "write HOST:PORT"),
        ("300.0.0.1:80", "valid IP address"),
        ("[12:80]:80", "valid IP address"),
        (":8081", "write 127.0.0.1:8081 for this machine alone or 0.0.0.0:8081"),
    ],
)
def test_what_is_no_address_is_refused_with_what_would_be(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        HostPort.parse(text)
    assert hint in str(refusal.value)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("shop", "shop", True),
        ("shop", "shop2", False),
        ("shop-*", "shop-eu", True),
        ("*", "", True),
        ("sh?p", "shxp", True),
        ("*a*b", "xxaxxab", True),
        ("*a*b", "xxaxxa", False),
        ("Shop", "shop", False),
    ],
)
def test_a_glob_fits_the_whole_name(pattern: str, text: str, fits: bool) -> None:
    assert Glob(pattern).matches(text) is fits


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/cgi-bin/**", "/cgi-bin/menu/get", True),
        ("/cgi-bin/**", "/cgi-binx/menu", False),
        ("/cgi-bin/*", "/cgi-bin/menu", True),
        ("/cgi-bin/*", "/cgi-bin/menu/get", False),
        ("/cgi-bin/*", "/cgi-bin/", False),
        ("/cgi-bin/*/get", "/cgi-bin/menu/get", True),
        ("/**/get", "/a/b/c/get", True),
        ("/**/get", "/get", True),
        ("/a/get*", "/a/get_current", True),
    ],
)
def test_a_star_stays_in_its_segment_and_two_cross_them(
    pattern: str, path: str, fits: bool
) -> None:
    assert PathGlob(pattern).matches(path) is fits


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_a_glob_agrees_with_its_definition(pattern: str, text: str) -> None:
    assert Glob(pattern).matches(text) is defined(pattern, text)


def defined(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(defined(pattern[1:], text[cut:]) for cut in range(len(text) + 1))
    return bool(text) and pattern[0] in {"?", text[0]} and defined(pattern[1:], text[1:])


def test_no_pattern_is_slow() -> None:
    assert Glob("*a" * 100 + "b").matches("a" * 2000) is False
    assert PathGlob("/**/a" * 40 + "/b").matches("/a" * 500) is False


@pytest.mark.parametrize("pattern", ["", "[ab]", "a b", "x" * 300])
def test_a_malformed_glob_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="is not a pattern"):
        globs.validate_python(pattern)


@pytest.mark.parametrize("pattern", ["cgi-bin/**", "/a**", "/a/**b"])
def test_a_malformed_path_glob_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="is not a path pattern"):
        path_globs.validate_python(pattern)


def test_a_digest_is_lower_cased() -> None:
    assert digests.validate_python("AB" * 32) == "ab" * 32


def test_a_key_in_place_of_its_digest_is_not_repeated() -> None:
    with pytest.raises(ValidationError, match="must be the SHA-256 of the key") as refusal:
        digests.validate_python("the-key-itself-0123456789")
    assert "the-key-itself" not in str(refusal.value.errors(include_input=False))
