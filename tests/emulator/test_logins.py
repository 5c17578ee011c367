"""Web login and mini-program login: codes, users' tokens, and their own name space."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.emulator.platforms import (
    APPID,
    NOW,
    OPENID,
    OTHER_APPID,
    OTHER_SECRET,
    PROBE,
    SECRET,
    account,
    classic,
    code_of,
    get,
    platform,
    post,
    probe,
    user,
)
from zhongkong.emulator.account import AccountKind
from zhongkong.emulator.model import WeChatModel

WEB = "/sns/oauth2/access_token"
SESSION = "/sns/jscode2session"
GOOD = {"appid": APPID, "secret": SECRET, "grant_type": "authorization_code"}


def model_with_user(kind: AccountKind = AccountKind.VERIFIED) -> WeChatModel:
    me = user(nickname="小明", unionid="u1")
    return platform(account(kind=kind, users=(me,)), account(OTHER_APPID, OTHER_SECRET))


def code(model: WeChatModel, kind: Any = "web", scope: Any = "snsapi_userinfo") -> str:
    return model.console.login_code(APPID, OPENID, NOW, kind=kind, scope=scope)


def ask(model: WeChatModel, path: str, fields: Any, now: float = NOW) -> dict[str, Any]:
    return get(model, f"{path}?{urlencode(fields)}", now)


def log_in(model: WeChatModel, scope: Any = "snsapi_userinfo") -> dict[str, Any]:
    return ask(model, WEB, {**GOOD, "code": code(model, scope=scope)})


def info(model: WeChatModel, token: str, now: float = NOW, path: str = "userinfo") -> Any:
    return ask(model, f"/sns/{path}", {"access_token": token, "openid": OPENID}, now)


def refresh(model: WeChatModel, given: str, now: float = NOW, **changes: Any) -> Any:
    fields = {"appid": APPID, "grant_type": "refresh_token", "refresh_token": given}
    return ask(model, "/sns/oauth2/refresh_token", {**fields, **changes}, now)


def test_a_code_becomes_a_users_token_that_shows_the_user() -> None:
    model = model_with_user()
    given = log_in(model)
    assert (given["openid"], given["scope"], given["expires_in"]) == (
        OPENID,
        "snsapi_userinfo",
        7200,
    )
    shown = info(model, given["access_token"])
    assert (shown["openid"], shown["nickname"], shown["unionid"]) == (OPENID, "小明", "u1")
    assert info(model, given["access_token"], path="auth") == {"errcode": 0, "errmsg": "ok"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
        ({"grant_type": "client_credential"}, 40002),
        ({"code": ""}, 41008),
        ({"code": "unknown"}, 40029),
        ({"secret": "x"}, 40125),
        ({"appid": "wx0"}, 40013),
        ({"appid": OTHER_APPID, "secret": OTHER_SECRET}, 40029),
    ],
)
def test_a_bad_field_has_its_code(changes: dict[str, str], expected: int) -> None:
    model = model_with_user()
    assert code_of(ask(model, WEB, {**GOOD, "code": code(model), **changes})) == expected


def test_a_code_is_good_once_and_for_five_minutes() -> None:
    model = model_with_user()
    fields = {**GOOD, "code": code(model)}
    assert code_of(ask(model, WEB, fields, NOW + 299)) == 0
    assert code_of(ask(model, WEB, fields, NOW + 299)) == 40163
    assert code_of(ask(model, WEB, {**GOOD, "code": code(model)}, NOW + 300)) == 42003
    assert model.ledger.effects("login_code_spent") == 1


def test_a_refused_call_spends_no_code() -> None:
    model = model_with_user()
    fields = {**GOOD, "code": code(model)}
    assert code_of(ask(model, WEB, {**fields, "secret": "x"})) == 40125
    assert code_of(ask(model, WEB, fields)) == 0


def test_users_tokens_and_the_accounts_are_never_taken_for_each_other() -> None:
    model = model_with_user()
    users, accounts = log_in(model)["access_token"], classic(model)
    assert code_of(info(model, accounts)) == 40001
    assert code_of(info(model, accounts, path="auth")) == 40001
    assert probe(model, users, NOW) == 40001
    assert model.ledger.dead_uses() == 0
    assert model.ledger.mints() == 1
    assert model.ledger.requests(PROBE)[0].appid == APPID


def test_a_users_token_ends_and_needs_its_openid_and_scope() -> None:
    model = model_with_user()
    token = log_in(model)["access_token"]
    assert code_of(info(model, token, NOW + 7200)) == 42001
    wrong = {"access_token": token, "openid": "o2"}
    assert code_of(ask(model, "/sns/userinfo", wrong)) == 40003
    assert code_of(ask(model, "/sns/userinfo", {"access_token": token})) == 41009
    assert code_of(ask(model, "/sns/userinfo", {"openid": OPENID})) == 41001
    assert code_of(info(model, log_in(model, "snsapi_base")["access_token"])) == 48001


def test_a_refresh_lengthens_a_living_token_and_replaces_an_ended_one() -> None:
    model = model_with_user()
    given = log_in(model)
    longer = refresh(model, given["refresh_token"], NOW + 7000)
    assert longer["access_token"] == given["access_token"]
    assert code_of(info(model, given["access_token"], NOW + 14_000)) == 0
    newer = refresh(model, given["refresh_token"], NOW + 14_200)
    assert newer["access_token"] != given["access_token"]
    assert code_of(info(model, newer["access_token"], NOW + 14_300)) == 0
    assert code_of(info(model, given["access_token"], NOW + 14_300)) == 42001


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"appid": ""}, 41002),
        ({"appid": "wx0"}, 40013),
        ({"grant_type": "x"}, 40002),
        ({"refresh_token": ""}, 41003),
        ({"refresh_token": "x"}, 40030),
        ({"appid": OTHER_APPID}, 40030),
    ],
)
def test_a_bad_refresh_has_its_code(changes: dict[str, Any], expected: int) -> None:
    model = model_with_user()
    assert code_of(refresh(model, log_in(model)["refresh_token"], **changes)) == expected


def test_a_refresh_token_lives_thirty_days() -> None:
    model = model_with_user()
    given = log_in(model)["refresh_token"]
    assert code_of(refresh(model, given, NOW + 30 * 86_400 - 1)) == 0
    assert code_of(refresh(model, given, NOW + 30 * 86_400)) == 42002


def test_a_mini_program_gets_a_session() -> None:
    model = model_with_user(AccountKind.MINI_PROGRAM)
    fields = {**GOOD, "js_code": code(model, "mini_program")}
    session = ask(model, SESSION, fields)
    assert (session["openid"], session["unionid"], len(session["session_key"])) == (
        OPENID,
        "u1",
        24,
    )
    assert code_of(ask(model, SESSION, fields)) == 40163
    assert code_of(ask(model, SESSION, {**GOOD, "js_code": ""})) == 41008
    assert code_of(ask(model, SESSION, {**GOOD, "js_code": code(model)})) == 40029


def test_each_login_is_for_its_kind_of_account() -> None:
    model = model_with_user()
    assert code_of(ask(model, SESSION, {**GOOD, "js_code": code(model, "mini_program")})) == 48001
    small = model_with_user(AccountKind.MINI_PROGRAM)
    assert code_of(ask(small, WEB, {**GOOD, "code": code(small)})) == 48001


def test_login_is_asked_for_with_get() -> None:
    model = model_with_user()
    for path in (WEB, SESSION, "/sns/userinfo", "/sns/auth", "/sns/oauth2/refresh_token"):
        assert code_of(post(model, path, b"")) == 43001


def test_a_frozen_account_logs_nobody_in() -> None:
    model = model_with_user()
    given = log_in(model)
    model.console.freeze(APPID, 50002)
    assert code_of(log_in(model)) == 50002
    assert code_of(info(model, given["access_token"])) == 50002
    assert code_of(refresh(model, given["refresh_token"])) == 50002
