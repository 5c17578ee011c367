"""Counters, their resets, and the tools around them."""

from __future__ import annotations

import pytest

from tests.emulator.platforms import (
    APPID,
    NOW,
    OTHER_APPID,
    OTHER_SECRET,
    SECRET,
    account,
    classic,
    code_of,
    platform,
    post,
    probe,
    stable,
)
from zhongkong.emulator.account import AccountKind
from zhongkong.emulator.model import WeChatModel

QUOTA = "/cgi-bin/openapi/quota/get"
MIDNIGHT = 1_716_220_800.0  # of UTC+8


def shown(model: WeChatModel, path: str, token: str, now: float = NOW) -> dict[str, int]:
    answer = model.call(QUOTA, token, now, body={"cgi_path": path})
    assert answer["errcode"] == 0
    return dict(answer["quota"])


@pytest.mark.parametrize(
    ("kind", "limit"), [(AccountKind.VERIFIED, 2000), (AccountKind.SANDBOX, 200)]
)
def test_an_account_has_its_kinds_number_of_classic_calls_a_day(
    kind: AccountKind, limit: int
) -> None:
    model = platform(account(kind=kind))
    assert all(code_of(model.token(APPID, SECRET, NOW)) == 0 for _ in range(limit))
    assert code_of(model.token(APPID, SECRET, NOW)) == 45009
    assert code_of(model.token(APPID, SECRET, MIDNIGHT - 1)) == 45009
    assert code_of(model.token(APPID, SECRET, MIDNIGHT)) == 0


def test_the_day_begins_where_the_parameter_says() -> None:
    model = platform(reset_utc_offset_h=0, daily_limits={"/cgi-bin/token": 1})
    classic(model)
    assert code_of(model.token(APPID, SECRET, MIDNIGHT)) == 45009
    assert code_of(model.token(APPID, SECRET, MIDNIGHT + 8 * 3600)) == 0


def test_a_refused_call_is_not_counted_and_each_path_counts_for_itself() -> None:
    model = platform(daily_limits={"/cgi-bin/token": 2})
    token = classic(model)
    model.token(APPID, "wrong", NOW)
    stable(model)
    assert shown(model, "/cgi-bin/token", token) == {"daily_limit": 2, "used": 1, "remain": 1}


def test_the_minute_limit_ends_with_the_minute() -> None:
    model = platform(minute_limits={"/cgi-bin/stable_token": 1})
    stable(model)
    refused = model.stable_token(APPID, SECRET, False, NOW + 1)
    assert refused["errcode"] == 45011
    assert refused["errmsg"].startswith("api minute-quota reach limit, must slower, retry next")
    assert code_of(model.stable_token(APPID, SECRET, False, NOW + 60)) == 0


def test_a_spent_account_leaves_others_alone() -> None:
    model = platform(
        account(), account(OTHER_APPID, OTHER_SECRET), daily_limits={"/cgi-bin/token": 1}
    )
    classic(model)
    assert code_of(model.token(APPID, SECRET, NOW)) == 45009
    assert code_of(model.token(OTHER_APPID, OTHER_SECRET, NOW)) == 0


def test_clear_quota_resets_every_daily_counter() -> None:
    model = platform(daily_limits={"/cgi-bin/token": 1}, forced_daily=1)
    token = classic(model)
    stable(model, forced=True)
    assert model.call("/cgi-bin/clear_quota", token, NOW, body={"appid": APPID}) == {
        "errcode": 0,
        "errmsg": "ok",
    }
    assert code_of(model.token(APPID, SECRET, NOW)) == 0
    assert code_of(model.stable_token(APPID, SECRET, True, NOW + 60)) == 0


def test_clear_quota_by_secret_works_without_a_token_and_shares_the_ten_of_a_month() -> None:
    model = platform()
    token = classic(model)
    body = f'{{"appid":"{APPID}","appsecret":"{SECRET}"}}'.encode()
    first = [code_of(post(model, "/cgi-bin/clear_quota/v2", body)) for _ in range(6)]
    then = [
        code_of(model.call("/cgi-bin/clear_quota", token, NOW, body={"appid": APPID}))
        for _ in range(5)
    ]
    assert first + then == [0] * 10 + [48006]
    next_month = NOW + 12 * 86_400
    assert code_of(post(model, "/cgi-bin/clear_quota/v2", body, next_month)) == 0


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", 41002),
        (f'{{"appid":"{APPID}"}}'.encode(), 41004),
        (f'{{"appid":"{APPID}","appsecret":"x"}}'.encode(), 40125),
        (b'{"appid":"wx0","appsecret":"x"}', 40013),
    ],
)
def test_clear_quota_by_secret_checks_its_fields(body: bytes, code: int) -> None:
    assert code_of(post(platform(), "/cgi-bin/clear_quota/v2", body)) == code


@pytest.mark.parametrize(
    ("path", "code"),
    [("/sns/userinfo", 76022), ("cgi-bin/token", 76021), ("/nowhere", 76021), (7, 76021)],
)
def test_quota_get_knows_only_its_own_paths(path: object, code: int) -> None:
    model = platform()
    assert code_of(model.call(QUOTA, classic(model), NOW, body={"cgi_path": path})) == code


def test_quota_get_tells_the_minute_limit_where_there_is_one() -> None:
    model = platform()
    answer = model.call(QUOTA, classic(model), NOW, body={"cgi_path": "/cgi-bin/stable_token"})
    assert answer["rate_limit"] == {"call_count": 10_000, "refresh_second": 60}


def test_the_figures_may_be_off_by_a_share() -> None:
    model = platform(quota_error=0.5, daily_limits={"/cgi-bin/getcallbackip": 10_000})
    token = classic(model)
    for _ in range(1000):
        model.call("/cgi-bin/getcallbackip", token, NOW)
    figures = {shown(model, "/cgi-bin/getcallbackip", token)["used"] for _ in range(20)}
    assert len(figures) > 1
    assert all(500 <= each <= 1500 for each in figures)


def test_business_paths_can_have_limits_too() -> None:
    model = platform(daily_limits={"/cgi-bin/get_api_domain_ip": 1})
    token = classic(model)
    assert [probe(model, token, NOW), probe(model, token, NOW)] == [0, 45009]
