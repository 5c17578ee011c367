"""YAML is read strictly, and each value knows its place."""

from __future__ import annotations

import pytest

from zhongkong.runtime.settings import ConfigError, parse_document


def trouble(text: str | bytes) -> str:
    """What is said about a text that can't be read, or is read with problems."""
    try:
        return "\n".join(map(str, parse_document(text, "c.yaml").problems))
    except ConfigError as error:
        return str(error)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a: 1", 1, id="a whole number"),
        pytest.param("a: -1.5", -1.5, id="a fraction"),
        pytest.param("a: true", True, id="true"),
        pytest.param("a:", None, id="nothing"),
        pytest.param("a: no", "no", id="no is a word"),
        pytest.param("a: 12:30", "12:30", id="a time of day is text"),
        pytest.param("a: 2024-01-01", "2024-01-01", id="a date is text"),
        pytest.param("a: 1e5", "1e5", id="hexadecimal digits with an e are text"),
        pytest.param('a: "0123"', "0123", id="quoted digits are text"),
        pytest.param("a: 127.0.0.1:8081", "127.0.0.1:8081", id="an address is text"),
    ],
)
def test_a_scalar_means_what_it_looks_like(text: str, expected: object) -> None:
    assert parse_document(text, "c.yaml").plain() == {"a": expected}


def test_keys_are_always_text() -> None:
    assert parse_document("on: 1\n80: 2\nnull: 3", "c").plain() == {"on": 1, "80": 2, "null": 3}


def test_an_empty_file_is_an_empty_mapping() -> None:
    assert parse_document(b"# nothing yet\n", "c").plain() == {}


def test_a_byte_order_mark_is_skipped() -> None:
    assert parse_document(b"\xef\xbb\xbfa: 1", "c").plain() == {"a": 1}


def test_aliases_and_merge_keys_are_followed_and_own_keys_win() -> None:
    text = "base: &b {x: 1, y: 2}\nmine: {<<: *b, y: 3}\nboth: {<<: [*b, {z: 4}]}\n"
    data = parse_document(text, "c").plain()
    assert data["mine"] == {"x": 1, "y": 3}
    assert data["both"] == {"x": 1, "y": 2, "z": 4}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2", "c.yaml:2: a: is given twice; the first stands on line 1"),
        ("l:\n- x: 1\n  x: 2", "c.yaml:3: l[0].x: is given twice; the first stands on line 2"),
        ("a:\n\tb: 1", "c.yaml:2: is indented with a tab; YAML wants spaces"),
        ("a: @x", "c.yaml:1: text that begins with @ needs quotes"),
        ("a: b: c", "c.yaml:1: a value that contains ': ' needs quotes"),
        ("a: 1\n---\nb: 1", "c.yaml:2: starts a second document; one file holds one"),
        ("a: *b", "c.yaml:1: a: a '*' stands before text that no '&' names"),
        ("a: &a [*a]", "c.yaml:1: a[0]: a '*' stands before text that no '&' names"),
        ("? [1]\n: 2", "c.yaml:1: a list or mapping can't be a key"),
        ("a: !x b", "c.yaml:1: a: text that begins with '!' needs quotes"),
        ("a: 0123", "c.yaml:1: a: a number with leading zeros"),
        ("a: 'x\nb: 1\n", "that begins on line 1"),
        ("a: [1,\nb: 2", "that begins on line 1"),
        ("a: 1\nb: \x07", "c.yaml:2: has a control character"),
        (b"a: 1\nb: \xff", "c.yaml:2: is not UTF-8 text; save the file as UTF-8"),
        ("a: {<<: 5}", "'<<' takes mappings only"),
    ],
)
def test_what_can_not_be_read_is_named_with_its_line(text: str | bytes, expected: str) -> None:
    assert expected in trouble(text)


@pytest.mark.parametrize("text", ["[" * 200_000, "- " * 200_000 + "x", "{a: " * 5000])
def test_deep_nesting_is_refused(text: str) -> None:
    assert "nested more than 32 levels deep" in trouble(text)


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "the aliases expand to too much" in trouble("\n".join(lines))


def test_nesting_through_aliases_is_refused_too() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 40)]
    assert "the aliases expand to too much" in trouble("\n".join(lines))


@pytest.mark.parametrize("text", ["k: *Pa55word", "k: !Pa55word", "k: @Pa55word", "k: %Pa55word x"])
def test_a_value_that_yaml_chokes_on_is_not_repeated(text: str) -> None:
    assert trouble(text)
    assert "Pa55word" not in trouble(text)


def test_places_are_those_of_keys_and_entries() -> None:
    document = parse_document("a: 1\nlist:\n  - x: 1\n    y: 2\n  - z\n", "c")
    assert document.place(("list",)) == (2, 1)
    assert document.place(("list", 0, "y")) == (4, 5)
    assert document.place(("list", 1)) == (5, 5)


def test_what_is_missing_is_placed_at_its_parent() -> None:
    document = parse_document("a: 1\nmap:\n  x: 1\n", "c")
    assert document.place(("map", "y")) == (2, 1)
    assert document.place(("nowhere", 3)) == (1, 1)
