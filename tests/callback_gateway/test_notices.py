from __future__ import annotations

from pathlib import Path

import pytest

from tests.callback_gateway.settings_files import ADMIN_SHA, MINIMAL, loaded

HEAD = f"""\
admin_key_sha256: {ADMIN_SHA}
accounts:
  - {{name: shop, appid: wx1, tokens: [{{file: token}}], aes_keys: [{{file: aes}}]}}
targets:
  t: {{url: "http://a/", secret: {{file: signing}}}}
  u: {{url: "http://b/", secret: {{file: signing}}}}
routes:
"""
HELLO = "{type: text, content: hi}"


def said(tmp_path: Path, text: str) -> list[str]:
    """What is remarked, without the file's path."""
    notices = loaded(tmp_path, text).notices
    return [line.partition("callback_gateway.yaml:")[2] for line in notices]


def of_routes(tmp_path: Path, *routes: str) -> list[str]:
    text = HEAD + "".join(f"- {route}\n" for route in routes)
    return [line for line in said(tmp_path, text) if "targets." not in line]


def test_a_sound_configuration_is_passed_in_silence(tmp_path: Path) -> None:
    assert said(tmp_path, f"admin_key_sha256: {ADMIN_SHA}\n{MINIMAL}") == []


def test_an_empty_configuration_is_not_silent(tmp_path: Path) -> None:
    found = "\n".join(said(tmp_path, ""))

    assert "accounts: none is configured, so every callback is refused" in found
    assert "routes: none is configured" in found
    assert "admin_key_sha256: not set" in found


def test_routes_without_a_catch_all_are_remarked(tmp_path: Path) -> None:
    (line,) = of_routes(tmp_path, "{match: {type: text}, notify: [t, u]}")

    assert line.startswith("7: routes: none takes everything (match: {})")


@pytest.mark.parametrize(
    ("earlier", "later", "verdict"),
    [
        pytest.param(
            f"{{match: {{}}, reply: {HELLO}}}",
            "{match: {type: text}, reply: t}",
            "9: routes[1].reply: never matches: routes[0] answers everything that it takes",
            id="behind a route that answers everything",
        ),
        pytest.param(
            "{match: {event: '*'}, reply: u}",
            "{match: {event: CLICK, key: x}, reply: t}",
            "9: routes[1].reply: never matches: routes[0] answers everything that it takes",
            id="behind a wider one of the same field",
        ),
        pytest.param(
            "{match: {}, reply: u}",
            "{match: {type: text}, reply: t, notify: t}",
            "9: routes[1].reply: never answers: routes[0] answers everything that it takes",
            id="a copy is sent all the same",
        ),
        pytest.param(
            "{match: {}, notify: u}",
            "{match: {type: text}, reply: t}",
            None,
            id="a route that only copies keeps nobody from answering",
        ),
        pytest.param(
            "{match: {type: text}, reply: u}",
            "{match: {type: [text, image]}, reply: t}",
            None,
            id="something is left for it",
        ),
        pytest.param(
            "{match: {}, reply: {forward: u}}",
            "{match: {type: text}, reply: t}",
            None,
            id="what has no effect yet answers nothing",
        ),
    ],
)
def test_a_reply_that_nobody_can_get_is_remarked(
    tmp_path: Path, earlier: str, later: str, verdict: str | None
) -> None:
    found = of_routes(tmp_path, earlier, later, "{match: {}, notify: [t, u]}")

    assert found == ([] if verdict is None else [verdict])


@pytest.mark.parametrize(
    ("match", "verdict"),
    [
        ("{type: txt}", "8: routes[0].match.type: WeChat documents no type txt; known are event,"),
        ("{event: CLIKC}", "8: routes[0].match.event: WeChat documents no event CLIKC"),
        ("{account: shpo}", "8: routes[0].match.account: shpo fits no configured account"),
        ("{type: text, event: CLICK}", "8: routes[0].match.event: no message has an event"),
    ],
)
def test_a_match_that_fits_nothing_is_remarked(tmp_path: Path, match: str, verdict: str) -> None:
    (line,) = of_routes(tmp_path, f"{{match: {match}, reply: t}}", "{match: {}, notify: [t, u]}")

    assert line.startswith(verdict)


def test_a_target_without_a_route_is_remarked(tmp_path: Path) -> None:
    (line,) = said(tmp_path, HEAD + "- {match: {}, reply: t}\n")

    assert line == "6: targets.u: no route names it, so nothing is sent there"


def test_what_plaintext_and_a_shared_token_cost_is_said(tmp_path: Path) -> None:
    text = MINIMAL.replace(
        "targets:",
        "  - {name: bank, appid: wx2, tokens: [{file: token}], mode: plaintext}\ntargets:",
    )
    found = "\n".join(said(tmp_path, text))

    assert "6: accounts[1].mode: in plaintext WeChat's signature covers no body" in found
    assert "6: accounts[1].tokens[0]: is that of shop as well" in found


def test_what_the_store_means_for_the_promise_is_said(tmp_path: Path) -> None:
    in_memory = "\n".join(said(tmp_path, f"store: memory://\n{MINIMAL}"))
    on_redis = "\n".join(said(tmp_path, f"store: redis://localhost\n{MINIMAL}"))

    assert "1: store: in memory: what was accepted is lost with the process" in in_memory
    assert "spool: holds what is accepted while Redis is away" in on_redis
    assert "volume" in on_redis
