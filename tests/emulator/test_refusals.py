"""Codes, texts and their order at the token endpoints."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from tests.emulator.platforms import (
    APPID,
    NOW,
    SECRET,
    account,
    classic,
    code_of,
    get,
    listed,
    platform,
    post,
    probe,
)

GOOD = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}


def query(**changes: str | None) -> str:
    fields = {**GOOD, **changes}
    parts = [f"{name}={value}" for name, value in fields.items() if value is not None]
    return "/cgi-bin/token?" + "&".join(parts)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"grant_type": None}, 40002, id="no grant type"),
        pytest.param({"grant_type": "client_credentials"}, 40002, id="grant type with an s"),
        pytest.param({"appid": None}, 41002, id="no appid"),
        pytest.param({"secret": ""}, 41004, id="empty secret"),
        pytest.param({"appid": APPID.upper()}, 40013, id="appid in the wrong case"),
        pytest.param({"secret": "x" * 32}, 40125, id="wrong secret"),
    ],
)
def test_a_bad_field_has_its_own_code_on_both_endpoints(
    changes: dict[str, str | None], code: int
) -> None:
    model = platform()
    body = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    assert code_of(get(model, query(**changes))) == code
    assert code_of(post(model, "/cgi-bin/stable_token", orjson.dumps(body))) == code
    assert model.ledger.mints() == 0


def test_a_wrong_secret_may_be_40001_with_a_text_of_its_own() -> None:
    answer = get(platform(wrong_secret_code=40001), query(secret="x" * 32))
    assert answer["errcode"] == 40001
    assert "appsecret" in answer["errmsg"]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"frozen": 50002}, 50002),
        ({"frozen": 50007}, 50007),
        ({"token_barred": True}, 50004),
        ({"secret_frozen": True}, 40243),
    ],
)
def test_the_state_of_an_account_has_its_code(facts: dict[str, Any], code: int) -> None:
    model = platform(account(**facts))
    assert code_of(model.token(APPID, SECRET, NOW)) == code
    assert code_of(model.stable_token(APPID, SECRET, True, NOW)) == code


def test_a_wrong_method_is_43001_or_43002() -> None:
    model = platform()
    assert code_of(post(model, query(), b"")) == 43001
    assert code_of(get(model, "/cgi-bin/stable_token")) == 43002
    assert code_of(post(platform(classic_accepts_post=True), query(), b"")) == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 44002),
        (b"appid=1&secret=2", 47001),
        (b"[]", 47001),
        (b'{"appid": "\xff"}', 47001),
        (b"[" * 100_000, 47001),
        (b'{"grant_type":"client_credential","appid":5}', 47001),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes, code: int) -> None:
    assert code_of(post(platform(), "/cgi-bin/stable_token", body)) == code


def test_an_unknown_path_is_40066_and_doubled_slashes_are_none() -> None:
    assert code_of(get(platform(), "/cgi-bin/tokens")) == 40066
    assert code_of(get(platform(), "//cgi-bin//" + query().removeprefix("/cgi-bin/"))) == 0


def test_the_rid_begins_with_the_time_of_the_request() -> None:
    found = re.fullmatch(
        r"invalid appid rid: ([0-9a-f]{8})-[0-9a-f]{8}-[0-9a-f]{8}",
        platform().token("wx0", SECRET, NOW)["errmsg"],
    )
    assert found is not None
    assert int(found[1], 16) == int(NOW)


def test_the_old_form_has_a_hint_in_place_of_the_rid() -> None:
    model = platform(refusal_form="hint", daily_limits={"/cgi-bin/token": 0})
    assert re.fullmatch(
        r"invalid appid hint: \[[\w-]{14}\]", model.token("wx0", SECRET, NOW)["errmsg"]
    )
    assert model.token(APPID, SECRET, NOW)["errmsg"].startswith("api freq out of limit hint: [")


@pytest.mark.parametrize(
    ("peer", "text"),
    [
        ("203.0.113.9", "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist rid: "),
        (
            "::ffff:203.0.113.9",
            "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist rid: ",
        ),
        ("2001:db8::1", "invalid ip 2001:db8::1, not in whitelist rid: "),
    ],
)
def test_40164_names_the_address_that_the_platform_saw(peer: str, text: str) -> None:
    model = platform(account(allowlist=listed("192.0.2.0/24")))
    answer = model.token(APPID, SECRET, NOW, peer)
    assert answer["errcode"] == 40164
    assert answer["errmsg"].startswith(text)


def test_the_texts_of_dead_tokens_are_those_seen_in_the_wild() -> None:
    model = platform()
    ended = model.call("/cgi-bin/getcallbackip", classic(model), NOW + 7200)
    strange = model.call("/cgi-bin/getcallbackip", "x" * 100, NOW)
    assert ended["errmsg"].startswith("access_token expired rid: ")
    assert strange["errmsg"].startswith(
        "invalid credential, access_token is invalid or not latest, could get access_token by "
        "getStableAccessToken, more details at https://"
    )


def test_an_errcode_may_be_a_string() -> None:
    model = platform(errcode_as_text=True)
    assert model.token("wx0", SECRET, NOW)["errcode"] == "40013"
    assert model.ledger.refusals(40013) == 1


def test_every_refusal_has_a_text() -> None:
    model = platform(account(token_barred=True))
    assert "unknown error" not in model.token(APPID, SECRET, NOW)["errmsg"]


def test_a_business_call_is_not_asked_for_its_address() -> None:
    model = platform(account(allowlist=listed("192.0.2.1")))
    token = model.token(APPID, SECRET, NOW, "192.0.2.1")["access_token"]
    assert probe(model, token, NOW) == 0
