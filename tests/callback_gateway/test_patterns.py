from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given, strategies as st

from callback_gateway.patterns import PATTERN_AT_MOST, TEXT_AT_MOST, Pattern, PatternRefused

ALPHABET = "abC*?\n帮助."


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("BUY_IN", "BUY_IN", True),
        ("BUY_IN", "buy_in", False),
        ("BUY_IN", "BUY_IN ", False),
        ("", "", True),
        ("", "x", False),
        ("BUY_*", "BUY_IN", True),
        ("BUY_*", "BUY_", True),
        ("BUY_*", "SELL_BUY_IN", False),
        ("*", "", True),
        ("*", "two\nlines", True),
        ("?", "帮", True),
        ("?", "", False),
        ("a.c*", "abc", False),
        ("/help/", "please help me", True),
        ("/^help$/", "please help me", False),
        ("/^help$/", "help\n", False),
        ("/^help$/i", "HELP", True),
        ("/^(帮助|help)$/i", "帮助", True),
        (r"/^\/help$/", "/help", True),
        ("/", "/", True),
        ("/help", "/help", True),
        ("/help", "help", False),
        (r"/^\d{6}$/", "123456", True),
        ("/[一-龥]+/", "您好", True),
    ],
)
def test_a_pattern_is_exact_text_a_glob_or_a_regex(pattern: str, text: str, fits: bool) -> None:
    assert Pattern.parse(pattern).fits(text) is fits


@pytest.mark.parametrize("pattern", ["CLICK", "CLI*", "/^CLICK$/"])
def test_case_can_be_ignored_in_every_kind(pattern: str) -> None:
    assert Pattern.parse(pattern, ignore_case=True).fits("click")
    assert not Pattern.parse(pattern).fits("click")


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("//", "empty regex"),
        ("/(/", "missing )"),
        ("/(?=a)b/", "RE2's syntax"),
        (r"/(a)\1/", "RE2's syntax"),
        ("/a/gi", "the flags gi, and only i is known"),
        ("/usr/lib", "the flags lib"),
        ("/((a{100}){100}){100}/", "RE2's syntax"),
        (r"/\p{Han}{1,900}/", "too large"),
        ("x" * (PATTERN_AT_MOST + 1), "longer than"),
        ("/\ud800/", "UTF-8"),
    ],
)
def test_what_can_t_be_run_is_refused_with_the_reason(pattern: str, why: str) -> None:
    with pytest.raises(PatternRefused, match=re.escape(why)):
        Pattern.parse(pattern)


@given(st.text(ALPHABET, max_size=8), st.text(ALPHABET, max_size=12))
def test_a_glob_means_what_it_means_in_a_shell(pattern: str, text: str) -> None:
    expected = re.fullmatch(fnmatch.translate(pattern), text) is not None

    assert Pattern.parse(pattern).fits(text) is expected


@given(st.text())
def test_exact_text_fits_itself_and_nothing_longer(text: str) -> None:
    if text.startswith("/") or "*" in text or "?" in text or len(text) > PATTERN_AT_MOST:
        return
    pattern = Pattern.parse(text)

    assert pattern.fits(text)
    assert not pattern.fits(text + "x")


@given(st.text(st.characters(), max_size=50))
def test_no_text_makes_a_pattern_fail(text: str) -> None:
    for pattern in ("x", "*a?", "/[^a]b*/i"):
        assert Pattern.parse(pattern).fits(text) in {True, False}


def test_text_that_utf8_can_t_hold_is_matched_all_the_same() -> None:
    assert Pattern.parse("a*").fits("a\ud800")


def test_no_more_of_a_text_is_looked_at_than_the_cap() -> None:
    assert Pattern.parse("/b/").fits("a" * (TEXT_AT_MOST - 1) + "b")
    assert not Pattern.parse("/b/").fits("a" * TEXT_AT_MOST + "b")


def test_a_regex_that_would_stall_a_backtracking_engine_is_over_at_once() -> None:
    for text in ("/^(a+)+$/", "/^(a|aa)+$/", "/a*a*a*a*a*b/"):
        assert not Pattern.parse(text).fits("a" * (TEXT_AT_MOST - 1) + "c")


@pytest.mark.parametrize(
    ("wide", "narrow", "covers"),
    [
        ("*", "anything", True),
        ("*", "/any/", True),
        ("BUY_*", "BUY_IN", True),
        ("BUY_*", "BUY_*", True),
        ("BUY_*", "BUY_I*", False),
        ("/^B/", "BUY", True),
        ("BUY", "BUY_*", False),
        ("a", "b", False),
    ],
)
def test_what_a_pattern_covers(wide: str, narrow: str, covers: bool) -> None:
    assert Pattern.parse(wide).covers(Pattern.parse(narrow)) is covers


@given(st.text("ab*?", max_size=5), st.text("ab*?", max_size=5), st.text("ab", max_size=6))
def test_what_is_said_to_be_covered_is(wide: str, narrow: str, text: str) -> None:
    one, other = Pattern.parse(wide), Pattern.parse(narrow)
    if one.covers(other) and other.fits(text):
        assert one.fits(text)


def test_patterns_are_equal_when_they_are_written_alike() -> None:
    assert Pattern.parse("/a/i") == Pattern.parse("/a/i")
    assert Pattern.parse("a*") != Pattern.parse("a*", ignore_case=True)
