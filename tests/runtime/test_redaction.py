"""No secret survives in any of the shapes that logs and errors meet."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings, strategies as st

from zhongkong.runtime.redaction import is_secret_name, scrub

SECRETS = st.text(string.ascii_letters + string.digits + "_-", min_size=32, max_size=32)

SHAPES = [
    "https://api.weixin.qq.com/cgi-bin/menu/get?access_token={}&lang=zh",
    "GET /cgi-bin/token?grant_type=client_credential&appid=wx1&secret={} failed",
    "appid=wx1&appsecret={}",
    "corpsecret={}&corpid=1",
    "component_access_token={}",
    "next=https%3A%2F%2Fh%2F%3Faccess_token%3D{}%26x%3D1",
    '{{"access_token":"{}","expires_in":7200}}',
    '{{"access_token" : "{}"}}',
    '{{\\"access_token\\":\\"{}\\",\\"expires_in\\":7200}}',
    "{{'access_token': '{}', 'expires_in': 7200}}",
    'b\'{{"ticket":"{}"}}\'',
    "Record(secret='{}', version='v1')",
    'KeyError: "token={}"',
    "Authorization: Bearer {}",
    "authorization: Basic {}",
    "sent Bearer {}, got 401",
    "Cookie: session={}; theme=dark",
    "X-Api-Key: 0{}",
    "redis://user:{}@host:6379/0",
    "redis://:{}@host",
    "rediss://u:a/{}@host",
    "https://user:{}@proxy:3128/path?x=1",
    "secret: 0{}",
    "EncodingAESKey={}",
]


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=settings().max_examples // 4)
@given(
    secret=SECRETS, before=st.text(max_size=20), after=st.sampled_from(["", " ", "\n", "\ntail"])
)
def test_a_secret_in_any_shape_is_cut(shape: str, secret: str, before: str, after: str) -> None:
    text = f"{before} {shape.format(secret)}{after}"
    assert secret not in scrub(text)


@given(st.text(max_size=200))
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@pytest.mark.parametrize("shape", SHAPES)
def test_scrubbing_a_shape_twice_changes_nothing_more(shape: str) -> None:
    once = scrub(shape.format("a0" * 16))
    assert scrub(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "",
        "invalid credential, access_token is invalid or not latest rid: 61725984-6126f6f9",
        "accounts[0].secret: must not stand here in plain: write {file: path} or {env: NAME}",
        "the secret file /run/secrets/shop does not exist",
        "version=0123456789abcdef token_kind=access_token",
        "http://127.0.0.1:8080/path@x",
        "https://host/a?email=a@b.c",
        "token_sha8=01234567",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert scrub(text) == text


def test_the_surroundings_of_a_secret_stay() -> None:
    assert scrub("GET https://h/p?access_token=x&lang=zh: 500") == (
        "GET https://h/p?access_token=[redacted]&lang=zh: 500"
    )


@pytest.mark.parametrize(
    "name",
    [
        "secret",
        "appsecret",
        "appSecret",
        "corpsecret",
        "access_token",
        "component_access_token",
        "authorization",
        "key",
        "keys",
        "password",
        "token",
        "tokens",
        "encryption_keys",
        "ticket",
        "tickets",
        "aes_keys",
        "EncodingAESKey",
        "X-Api-Key",
        "Set-Cookie",
        "opaque_token_keys",
        "component_verify_ticket",
    ],
)
def test_a_secret_name_is_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "version",
        "kind",
        "token_kind",
        "token_sha8",
        "key_name",
        "event_key",
        "idempotency_key",
        "account",
        "monkey",
    ],
)
def test_a_harmless_name_is_known(name: str) -> None:
    assert not is_secret_name(name)
