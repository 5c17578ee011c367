"""Signatures are judged by the library that Standard Webhooks publishes, which reads the time."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from callback_gateway.webhook_signature import (
    SigningSecret,
    SigningSecretRefused,
    verify,
)
from zhongkong.runtime.clock import SystemClock

BODY = '{"specversion":"1.0","data":{"content":"您好"}}'.encode()
EVENT_ID = "msg_0123456789abcdef"


def secret_of(length: int, fill: int = 7) -> str:
    return "whsec_" + base64.b64encode(bytes([fill]) * length).decode()


@pytest.mark.parametrize("length", [24, 32, 64])
def test_the_published_library_takes_what_is_signed(length: int) -> None:
    text = secret_of(length)
    now = SystemClock().now()
    headers = SigningSecret.parse(text).headers(EVENT_ID, int(now), BODY)
    assert Webhook(text).verify(BODY, headers)["specversion"] == "1.0"


def test_the_published_library_refuses_another_body() -> None:
    text = secret_of(32)
    headers = SigningSecret.parse(text).headers(EVENT_ID, int(SystemClock().now()), BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(text).verify(BODY + b" ", headers)


@pytest.mark.parametrize("known", [0, 1])
def test_either_secret_verifies_while_one_replaces_the_other(known: int) -> None:
    texts = [secret_of(24, 1), secret_of(24, 2)]
    headers = SigningSecret.parse(*texts).headers(EVENT_ID, int(SystemClock().now()), BODY)
    assert Webhook(texts[known]).verify(BODY, headers) is not None
    assert headers["webhook-signature"].count("v1,") == 2


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(secret_of(23), id="23 bytes are too few"),
        pytest.param(secret_of(65), id="65 bytes are too many"),
        pytest.param(secret_of(32).removeprefix("whsec_"), id="the prefix is missing"),
        pytest.param("whsec_" + "Zz%9" * 10, id="it is no base64"),
        pytest.param("whsec_" + "Zz-_" * 10, id="it is base64 of another alphabet"),
        pytest.param(secret_of(32) + "\n", id="a line end came along"),
        pytest.param(secret_of(32).rstrip("="), id="its end is missing"),
        pytest.param("whsec_您好", id="it is no ASCII"),
        pytest.param("whsec_", id="nothing follows the prefix"),
    ],
)
def test_a_secret_that_cannot_sign_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(SigningSecretRefused) as refused:
        SigningSecret.parse(text)
    shown = str(refused.value)
    assert "24 to 64 random bytes" in shown
    body = text.removeprefix("whsec_")
    assert not body or body not in shown
    assert refused.value.__context__ is None


def test_no_secret_at_all_is_refused() -> None:
    with pytest.raises(SigningSecretRefused):
        SigningSecret.parse()


def test_a_secret_hides_in_its_repr() -> None:
    assert repr(SigningSecret.parse(secret_of(32))) == "SigningSecret(<1 hidden>)"


def test_secrets_are_equal_by_their_keys() -> None:
    assert SigningSecret.parse(secret_of(32)) == SigningSecret.parse(secret_of(32))
    assert SigningSecret.parse(secret_of(32)) != SigningSecret.parse(secret_of(32, 8))


@pytest.mark.parametrize("event_id", ["", "a.b", "a\r\nx: y", "a b", "ä", "a\n", "x" * 129])
def test_an_id_that_a_header_or_a_signature_cannot_hold_is_refused(event_id: str) -> None:
    with pytest.raises(ValueError, match="an event id"):
        SigningSecret.parse(secret_of(32)).headers(event_id, 1, b"")


def test_a_delivery_verifies_here_as_well() -> None:
    secret = SigningSecret.parse(secret_of(32))
    headers = secret.headers(EVENT_ID, 1_000, BODY)
    assert verify(secret, headers, BODY, now=1_000.0)


@pytest.mark.parametrize(
    ("changed", "now"),
    [
        pytest.param({"webhook-id": "msg_other"}, 1_000.0, id="another id"),
        pytest.param({"webhook-timestamp": "1001"}, 1_000.0, id="another time"),
        pytest.param({"webhook-timestamp": "1e3"}, 1_000.0, id="a time that is no number"),
        pytest.param({"webhook-signature": "v1,AAAA"}, 1_000.0, id="another signature"),
        pytest.param({"webhook-signature": "您"}, 1_000.0, id="no signature at all"),
        pytest.param({}, 1_301.0, id="too late"),
        pytest.param({}, 699.0, id="too early"),
    ],
)
def test_a_changed_or_stale_delivery_does_not_verify(changed: dict[str, str], now: float) -> None:
    secret = SigningSecret.parse(secret_of(32))
    headers = secret.headers(EVENT_ID, 1_000, BODY) | changed
    assert not verify(secret, headers, BODY, now=now)


def test_one_known_signature_among_others_is_enough() -> None:
    secret = SigningSecret.parse(secret_of(32))
    headers = secret.headers(EVENT_ID, 1_000, BODY)
    headers["webhook-signature"] = f"v1a,AAAA v1,BBBB {headers['webhook-signature']}"
    assert verify(secret, headers, BODY, now=1_000.0)


@given(st.dictionaries(st.sampled_from(["webhook-id", "webhook-timestamp"]), st.text()), st.text())
def test_no_headers_make_verify_raise(headers: dict[str, str], signature: str) -> None:
    secret = SigningSecret.parse(secret_of(32))
    assert not verify(secret, headers | {"webhook-signature": signature}, b"", now=0.0)
