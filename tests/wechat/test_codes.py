from __future__ import annotations

import re

import pytest

from zhongkong.runtime.redaction import scrub
from zhongkong.wechat import (
    codes_account,
    codes_component,
    codes_conditional_menu,
    codes_menu,
    codes_request,
)
from zhongkong.wechat.codes import ERROR_CODES, TOKEN_ENDPOINTS, CodeClass, classify, describe

_MODULES = (codes_account, codes_component, codes_conditional_menu, codes_menu, codes_request)


def test_no_code_stands_twice() -> None:
    assert len(ERROR_CODES) == sum(len(module.ROWS) for module in _MODULES)


def test_success_is_no_error_code() -> None:
    assert 0 not in ERROR_CODES


def test_no_word_of_any_text_looks_like_a_secret_to_the_log() -> None:
    texts = [text for info in ERROR_CODES.values() for text in (info.meaning, info.remedy)]

    assert [text for text in texts if scrub(text) != text] == []


def test_every_code_says_in_sentences_what_it_means_and_what_to_do() -> None:
    texts = [text for info in ERROR_CODES.values() for text in (info.meaning, info.remedy)]

    assert [text for text in texts if not re.fullmatch(r"[A-Z`].*[^ .]\.", text)] == []


@pytest.mark.parametrize(
    ("code", "klass"),
    [
        (-1, CodeClass.TRANSIENT),
        (40001, CodeClass.TOKEN),
        (40014, CodeClass.TOKEN),
        (42001, CodeClass.TOKEN),
        (42007, CodeClass.USER),
        (41001, CodeClass.CALLER),
        (40013, CodeClass.OPERATOR),
        (40125, CodeClass.OPERATOR),
        (40164, CodeClass.OPERATOR),
        (40243, CodeClass.OPERATOR),
        (45009, CodeClass.QUOTA),
        (45011, CodeClass.TRANSIENT),
        (46003, CodeClass.ABSENCE),
        (65301, CodeClass.ABSENCE),
        (65305, CodeClass.QUOTA),
        (61023, CodeClass.OPERATOR),
        (89506, CodeClass.OPERATOR),
    ],
)
def test_a_business_call_has_the_class_of_the_platform_table(code: int, klass: CodeClass) -> None:
    assert classify(code, at_token_endpoint=False) is klass


def test_only_three_codes_ever_lead_to_a_refresh() -> None:
    token = {code for code, info in ERROR_CODES.items() if info.klass is CodeClass.TOKEN}

    assert token == {40001, 40014, 42001}


@pytest.mark.parametrize("code", [40001, 40014, 42001])
def test_a_token_endpoint_never_answers_that_the_token_should_be_refreshed(code: int) -> None:
    assert classify(code, at_token_endpoint=True) is CodeClass.OPERATOR


def test_40001_from_a_token_endpoint_is_about_the_secret() -> None:
    assert "AppSecret" in describe(40001, at_token_endpoint=True).remedy


def test_an_unknown_code_is_permanent_and_its_remedy_names_the_rid() -> None:
    info = describe(99999, at_token_endpoint=False)

    assert info.klass is CodeClass.CALLER
    assert "rid" in info.remedy


def test_both_token_endpoints_are_known() -> None:
    assert frozenset({"/cgi-bin/token", "/cgi-bin/stable_token"}) == TOKEN_ENDPOINTS
