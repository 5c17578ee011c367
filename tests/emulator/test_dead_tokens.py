"""What business calls with a dead, strange or missing token earn: rules E6, E7."""

from __future__ import annotations

import pytest

from tests.emulator.platforms import (
    APPID,
    NOW,
    OTHER_APPID,
    OTHER_SECRET,
    PROBE,
    SECRET,
    account,
    classic,
    code_of,
    get,
    platform,
    probe,
    stable,
)


def test_a_well_formed_stranger_is_40001_and_a_malformed_one_40014() -> None:
    model = platform()
    assert probe(model, "33_" + "x" * 100, NOW) == 40001
    assert probe(model, "not a token", NOW) == 40014
    assert probe(platform(unknown_token_code=40014), "33_" + "x" * 100, NOW) == 40014


def test_a_missing_token_is_41001_and_an_empty_one_as_configured() -> None:
    assert code_of(get(platform(), PROBE)) == 41001
    assert code_of(get(platform(), f"{PROBE}?access_token=")) == 41001
    assert code_of(get(platform(empty_token_code=40014), f"{PROBE}?access_token=")) == 40014


@pytest.mark.parametrize("code", ["40001", "40014", "42001"])
def test_every_dead_token_may_earn_one_code(code: str) -> None:
    model = platform(dead_token_code=code)
    token = classic(model)
    assert probe(model, token, NOW + 7200) == int(code)


def test_the_codes_of_dead_tokens_may_be_mixed() -> None:
    model = platform(dead_token_code="mixed")
    token = classic(model)
    codes = {probe(model, token, NOW + 7200 + each) for each in range(50)}
    assert codes == {40001, 40014, 42001}


def test_a_token_of_another_account_is_taken_for_that_account() -> None:
    model = platform(account(), account(OTHER_APPID, OTHER_SECRET))
    token = model.token(OTHER_APPID, OTHER_SECRET, NOW)["access_token"]
    answer = model.call("/cgi-bin/clear_quota", token, NOW, body={"appid": APPID})
    assert answer["errcode"] == 40013


def test_a_ticket_is_no_token() -> None:
    model = platform()
    ticket = model.call("/cgi-bin/ticket/getticket", classic(model), NOW, query={"type": "jsapi"})
    assert probe(model, ticket["ticket"], NOW) == 40001


def test_a_reset_secret_leaves_tokens_alive_unless_so_configured() -> None:
    for kills, expected in ((False, 0), (True, 40001)):
        model = platform(secret_reset_kills=kills)
        tokens = (classic(model), stable(model))
        model.console.reset_secret(APPID, "f" * 32, NOW + 1)
        assert {probe(model, each, NOW + 1) for each in tokens} == {expected}
        assert code_of(model.token(APPID, SECRET, NOW + 1)) == 40125


def test_a_stable_token_that_a_reset_killed_is_not_given_again() -> None:
    model = platform(secret_reset_kills=True, tokens_lost_on_kill=False)
    dead = stable(model)
    model.console.reset_secret(APPID, "f" * 32, NOW)
    assert model.stable_token(APPID, "f" * 32, False, NOW)["access_token"] != dead


def test_a_frozen_account_is_refused_on_every_path_and_thaws() -> None:
    model = platform()
    token = classic(model)
    model.console.freeze(APPID, 50002)
    assert probe(model, token, NOW) == 50002
    assert code_of(model.token(APPID, SECRET, NOW)) == 50002
    model.console.freeze(APPID, None)
    assert probe(model, token, NOW) == 0
