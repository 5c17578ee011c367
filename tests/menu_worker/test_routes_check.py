"""A key that nobody handles leaves its users without an answer: it is found before."""

from __future__ import annotations

from pathlib import Path

import pytest

from menu_worker.routes_check import RoutesUnreadable, read_routes, unhandled
from tests.menu_worker.files import loaded, written

MENU = """\
account: shop
button:
  - {type: click, name: 买入, key: BUY_IN}
  - {type: scancode_push, name: 扫码, key: SCAN}
  - {type: view, name: 网页, url: "http://a.example/"}
"""


def keys_left(folder: Path, routes: str) -> list[str]:
    """Keys of MENU that these routes don't handle."""
    desired = loaded(folder, MENU)
    found = unhandled(desired, read_routes(written(folder, routes, "gateway.yaml")), "gateway.yaml")
    return [place.key for place in desired.keys if any(place.key in v.message for v in found)]


def route(match: str, then: str = "notify: crm") -> str:
    return f"routes:\n  - {{match: {match}, {then}}}\n"


@pytest.mark.parametrize(
    ("match", "left"),
    [
        ("{}", []),
        ("{type: event}", []),
        ("{type: text}", ["BUY_IN", "SCAN"]),
        ("{type: [text, event]}", []),
        ("{type: event, event: CLICK}", ["SCAN"]),
        ("{event: click}", ["SCAN"]),
        ("{event: scancode_push}", ["BUY_IN"]),
        ("{event: VIEW}", ["BUY_IN", "SCAN"]),
        ('{key: "BUY_*"}', ["SCAN"]),
        ('{key: "???N"}', ["BUY_IN"]),
        ("{key: buy_in}", ["BUY_IN", "SCAN"]),
        ("{key: BUY_IN}", ["SCAN"]),
        ("{key: [BUY_IN, SCAN]}", []),
        ("{key: /^(BUY|SCAN)/}", []),
        ("{key: /^scan$/i}", ["BUY_IN"]),
        ("{key: /U/}", ["SCAN"]),
        ("{account: shop}", []),
        ("{account: bank}", ["BUY_IN", "SCAN"]),
        ('{user: "*"}', []),
        ("{user: oABC}", ["BUY_IN", "SCAN"]),
        ("{content: /./}", ["BUY_IN", "SCAN"]),
    ],
)
def test_a_route_handles_what_the_gateway_would_give_it(
    tmp_path: Path, match: str, left: list[str]
) -> None:
    assert keys_left(tmp_path, route(match)) == left


def test_a_reply_handles_as_well_as_a_copy(tmp_path: Path) -> None:
    assert keys_left(tmp_path, route("{}", "reply: {type: text, content: hi}")) == []


def test_a_route_that_leads_nowhere_handles_nothing(tmp_path: Path) -> None:
    assert keys_left(tmp_path, "routes: [{match: {}}]") == ["BUY_IN", "SCAN"]
    assert keys_left(tmp_path, "listen: 127.0.0.1:8082") == ["BUY_IN", "SCAN"]


def test_a_key_left_alone_is_found_at_its_place_in_the_menu(tmp_path: Path) -> None:
    desired = loaded(tmp_path, MENU)
    first = unhandled(desired, (), "gateway.yaml")[0]
    assert (first.file, first.line, first.column) == (desired.file, 3, 29)
    assert 'no route of gateway.yaml handles the key "BUY_IN"' in first.message


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ("routes: {", "gateway.yaml:"),
        ("routes: x", "`routes` is a list"),
        (route("x"), r"routes\[0\].match is a mapping"),
        (route("{key: /(/}"), r"routes\[0\].match.key is no pattern"),
        (route("{key: " + "x" * 513 + "}"), "longer than 512"),
    ],
)
def test_routes_that_cannot_be_read_are_refused_by_their_place(
    tmp_path: Path, routes: str, said: str
) -> None:
    with pytest.raises(RoutesUnreadable, match=said):
        read_routes(written(tmp_path, routes, "gateway.yaml"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RoutesUnreadable, match=r"none\.yaml does not exist"):
        read_routes(tmp_path / "none.yaml")
