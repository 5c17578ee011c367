"""A file that can't be read is refused with its line and column, and with what to do."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from menu_worker.desired import MAX_BYTES, DesiredRefused, load_file
from tests.menu_worker.files import CLICK, loaded, menu_of, refusal, the_refusal, written

GOOD = "account: shop\nbutton:\n  - {type: click, name: 买入, key: BUY_IN}\n"


def test_yaml_and_json_are_the_same_menu(tmp_path: Path) -> None:
    as_yaml = menu_of(tmp_path, GOOD)
    assert menu_of(tmp_path, {"account": "shop", "button": [CLICK]}, "shop.json") == as_yaml
    assert menu_of(tmp_path, {"account": "shop", "button": [CLICK]}, "pasted.yaml") == as_yaml


@pytest.mark.parametrize("name", ["shop.json", "shop.yaml", "shop"])
def test_json_may_have_escapes_and_tabs(tmp_path: Path, name: str) -> None:
    text = (
        '{\n\t"account": "shop",\n\t"button": [{"type": "view", '
        '"name": "\\ud83d\\ude00\\u4e70", "url": "http:\\/\\/a.example\\/?b=1\\u0026c=2"}]\n}\n'
    )
    (button,) = menu_of(tmp_path, text, name).buttons
    assert (button.name, button.target) == ("😀买", "http://a.example/?b=1&c=2")


def test_a_yaml_mapping_in_braces_is_yaml(tmp_path: Path) -> None:
    text = '{"account": shop, "button": [{type: click, name: a, key: b,},],}'
    assert len(menu_of(tmp_path, text).buttons) == 1


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        pytest.param("account: shop\nbutton:\n\t- a\n", 3, 1, "tab", id="tabs"),
        pytest.param("account: shop\nbutton: @a\n", 2, 9, "quotes", id="at sign"),
        pytest.param("account: shop\nbutton: a: b\n", 2, 10, "quotes", id="colon"),
        pytest.param('button: ["a\n', 2, 1, "half written", id="cut off"),
        pytest.param('account: "\\ud83d\\ude00"\n', 1, 13, "the character itself", id="escape"),
        pytest.param("a: &x 1\nb: *x\n", 1, 4, "anchor", id="anchor"),
        pytest.param("a: 1\nb: *x\n", 2, 4, "alias", id="alias"),
        pytest.param("a: 1\n---\nb: 1\n", 2, 1, "second document", id="two documents"),
        pytest.param("a: \x07\n", 1, 4, "control character", id="control character"),
        pytest.param("a:\n " + "[" * 40, 2, 33, "levels deep", id="deep"),
    ],
)
def test_broken_yaml_is_refused_at_its_place(
    tmp_path: Path, text: str, line: int, column: int, message: str
) -> None:
    found = the_refusal(tmp_path, text)
    assert found[:2] == (line, column)
    assert message in found[2]


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        pytest.param('{"button": [', 1, 13, "half written", id="cut off"),
        pytest.param('{"button": "a', 1, 14, "half written", id="cut off in a text"),
        pytest.param('{\n"button": [],\n}', 3, 1, "comma", id="comma at the end"),
        pytest.param('{"a": 1\n"b": 2}', 2, 1, '"," or "}"', id="no comma"),
        pytest.param("{'a': 1}", 1, 2, "double quotes", id="single quotes for a key"),
        pytest.param("{\"a\": 'b'}", 1, 7, "double quotes", id="single quotes for a text"),
        pytest.param('{"a": NaN}', 1, 7, "a value", id="not a number"),
        pytest.param('{"a": 01}', 1, 7, "a value", id="leading zero"),
        pytest.param('{"a": "x\ny"}', 1, 9, "control character", id="line break in a text"),
        pytest.param('{"a": "\\x"}', 1, 8, "escape", id="unknown escape"),
        pytest.param("{} {}", 1, 4, "after the end", id="two documents"),
        pytest.param("[" * 40, 1, 34, "levels deep", id="deep"),
    ],
)
def test_broken_json_is_refused_at_its_place(
    tmp_path: Path, text: str, line: int, column: int, message: str
) -> None:
    found = the_refusal(tmp_path, text, "shop.json")
    assert found[:2] == (line, column)
    assert message in found[2].lower()


@pytest.mark.parametrize("name", ["shop.json", "shop.yaml"])
def test_a_key_given_twice_is_an_error(tmp_path: Path, name: str) -> None:
    text = (
        '{"account": "shop", "button": [{"type": "click", "name": "a",\n"key": "b", "key": "c"}]}'
    )
    line, column, message = the_refusal(tmp_path, text, name)
    assert (line, column) == (2, 13)
    assert "twice" in message


@pytest.mark.parametrize(
    ("data", "message", "code"),
    [
        pytest.param(b"\xef\xbb\xbf" + GOOD.encode(), "byte order mark", 47001, id="BOM"),
        pytest.param(GOOD.encode("utf-16"), "UTF-16", 65318, id="UTF-16"),
        pytest.param(GOOD.encode("utf-16-le"), "UTF-16", 65318, id="UTF-16 without a mark"),
        pytest.param(GOOD.encode("utf-32"), "UTF-32", 65318, id="UTF-32"),
        pytest.param(GOOD.encode("gbk"), "GBK", 65318, id="GBK"),
        pytest.param("name: caf\xe9\n".encode("latin-1"), "not UTF-8", 65318, id="Latin-1"),
        pytest.param("name: 买".encode()[:-1], "half written", 47001, id="cut in a character"),
    ],
)
def test_other_encodings_are_called_by_their_name(
    tmp_path: Path, data: bytes, message: str, code: int
) -> None:
    (only,) = refusal(tmp_path, data)
    assert message in only.message
    assert only.code == code


def test_a_wrong_byte_is_found_on_its_line(tmp_path: Path) -> None:
    assert the_refusal(tmp_path, b"account: shop\nbutton: \xff\xff\n")[:2] == (2, 9)


@pytest.mark.parametrize("text", ["", "\n", "# nothing but a comment\n"])
@pytest.mark.parametrize("name", ["shop.json", "shop.yaml"])
def test_an_empty_file_is_refused_and_deletes_nothing(tmp_path: Path, text: str, name: str) -> None:
    if name.endswith("json") and text.startswith("#"):
        text = "null"
    (only,) = refusal(tmp_path, text, name)
    assert "empty" in only.message
    assert only.code == 44002


def test_a_file_beyond_the_limit_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    with path.open("wb") as file:
        file.truncate(10 * MAX_BYTES)
    (only,) = refusal(tmp_path, b"#" * (MAX_BYTES + 1), "other.yaml")
    assert "larger than 1048576 bytes" in only.message
    # It has holes for content: read whole it would be called UTF-16.
    with pytest.raises(DesiredRefused, match="larger than 1048576 bytes"):
        load_file(path)


def test_a_missing_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(DesiredRefused, match=r"none\.yaml:1:1: the file does not exist"):
        load_file(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" + "1," * 100_000 + "1]", id="list"),
        pytest.param("{" + ",".join(f'"k{n}": 1' for n in range(30_000)) + "}", id="mapping"),
    ],
)
@pytest.mark.parametrize("name", ["shop.json", "shop.yaml"])
def test_a_file_with_too_many_values_is_refused_before_it_takes_long(
    tmp_path: Path, text: str, name: str
) -> None:
    assert any("more than 20000 values" in each.message for each in refusal(tmp_path, text, name))


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    assert loaded(tmp_path, GOOD).digest == hashlib.sha256(GOOD.encode()).hexdigest()
    assert written(tmp_path, GOOD).read_text("utf-8") == GOOD
