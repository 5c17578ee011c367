from __future__ import annotations

import pytest

from zhongkong.wechat.codes import ERROR_CODES, CodeClass
from zhongkong.wechat.errors import (
    AddressRefused,
    CredentialRejected,
    NormalAbsence,
    OperatorError,
    QuotaExhausted,
    RequestRejected,
    Transient,
    UserState,
    WeChatError,
    error_for,
)

TOKEN = "/cgi-bin/token"
MENU = "/cgi-bin/menu/get"
NOT_LISTED = "invalid ip 203.0.113.9 ipv6 ::ffff:203.0.113.9, not in whitelist"


@pytest.mark.parametrize(
    ("code", "endpoint", "leaf"),
    [
        pytest.param(40001, MENU, CredentialRejected, id="a dead token of a business call"),
        pytest.param(40001, TOKEN, OperatorError, id="a wrong secret"),
        pytest.param(-1, MENU, Transient, id="a busy platform"),
        pytest.param(45009, MENU, QuotaExhausted, id="a spent quota"),
        pytest.param(50002, TOKEN, OperatorError, id="a frozen account"),
        pytest.param(40164, TOKEN, AddressRefused, id="an address not on the allowlist"),
        pytest.param(45035, MENU, AddressRefused, id="an address not registered"),
        pytest.param(89503, TOKEN, AddressRefused, id="an address to be confirmed"),
        pytest.param(89504, TOKEN, AddressRefused, id="a doubtful address code"),
        pytest.param(89504, "/cgi-bin/message/mass/send", OperatorError, id="mass sending"),
        pytest.param(40018, "/cgi-bin/menu/create", RequestRejected, id="a wrong menu"),
        pytest.param(45047, MENU, UserState, id="a user without credit"),
        pytest.param(46003, MENU, NormalAbsence, id="no menu"),
        pytest.param(12345, MENU, RequestRejected, id="a code nobody knows"),
    ],
)
def test_a_code_becomes_the_leaf_that_tells_its_handler_what_to_do(
    code: int, endpoint: str, leaf: type[WeChatError]
) -> None:
    assert type(error_for(code, "", endpoint)) is leaf


def test_the_caller_can_say_itself_that_it_asked_for_a_token() -> None:
    error = error_for(40001, "", "/renamed", at_token_endpoint=True)

    assert isinstance(error, OperatorError)


def test_busy_leaves_the_effect_unknown() -> None:
    error = error_for(-1, "system error", TOKEN)

    assert isinstance(error, Transient)
    assert error.effect_unknown


def test_a_minute_quota_refusal_happened_to_do_nothing_and_waits_a_minute() -> None:
    error = error_for(45011, "", TOKEN)

    assert isinstance(error, Transient)
    assert not error.effect_unknown
    assert error.retry_after_s >= 60


@pytest.mark.parametrize(
    "code", [code for code, info in ERROR_CODES.items() if info.klass is CodeClass.TRANSIENT]
)
def test_every_transient_code_says_how_long_to_wait(code: int) -> None:
    error = error_for(code, "", MENU)

    assert isinstance(error, Transient)
    assert error.retry_after_s > 0


@pytest.mark.parametrize(
    ("code", "period_s"), [(40164, 60), (89507, 3600), (89506, 86_400), (89501, 600), (45035, 600)]
)
def test_a_refused_address_stands_aside_for_the_period_of_its_code(
    code: int, period_s: float
) -> None:
    error = error_for(code, "", TOKEN)

    assert isinstance(error, AddressRefused)
    assert error.retry_after_s == period_s


@pytest.mark.parametrize(
    ("errmsg", "address"),
    [
        (NOT_LISTED, "203.0.113.9"),
        ("invalid ip 2001:db8::7 ipv6 2001:db8::7, not in whitelist", "2001:db8::7"),
        ("invalid ip, not in whitelist", None),
        ("", None),
    ],
)
def test_a_refused_address_is_read_from_the_text(errmsg: str, address: str | None) -> None:
    error = error_for(40164, errmsg, TOKEN)

    assert isinstance(error, AddressRefused)
    assert error.address == address


def test_an_error_tells_place_code_trace_and_remedy() -> None:
    error = error_for(40164, NOT_LISTED, TOKEN, rid="65a0-x", hint="h1")

    for part in (TOKEN, "40164", "203.0.113.9", "65a0-x", "h1", "allowlist"):
        assert part in str(error)


def test_an_error_never_holds_the_secret_that_the_answer_echoes() -> None:
    secret = "0123456789abcdef0123456789abcdef"

    error = error_for(40125, f"invalid appsecret {secret} here", TOKEN, hide=[secret])

    assert secret not in f"{error} {error!r} {error.errmsg} {vars(error)}"


def test_an_error_never_holds_a_secret_that_stands_in_a_url() -> None:
    error = error_for(40066, "invalid url /x?access_token=33_abcdefghijklmnop&a=1", MENU)

    assert "33_abcdefghijklmnop" not in str(error)


def test_a_long_errmsg_is_cut() -> None:
    assert len(error_for(40035, "x " * 10_000, MENU).errmsg) <= 512


def test_an_errmsg_brings_no_line_breaks_into_the_log() -> None:
    assert "\n" not in str(error_for(40035, "one\ntwo\r\x1b[31m", MENU))
