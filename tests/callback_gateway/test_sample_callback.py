from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from callback_gateway.accounts import Account, Mode
from callback_gateway.answers import answer
from callback_gateway.authenticity import Genuine, authenticate, read_query
from callback_gateway.event import event_of
from callback_gateway.sample_callback import (
    DEFAULT_USER,
    UNKNOWN_ORIGINAL_ID,
    AnswerRefused,
    answered,
    fields_of,
    sample,
)
from tests.callback_gateway.settings_files import AES_KEY, OLD_TOKEN, TOKEN
from zhongkong.wechat.catalogue import normalise
from zhongkong.wechat.envelope import AesKey
from zhongkong.wechat.passive_reply import TextReply
from zhongkong.wechat.push import parse

NOW = 1_700_000_000
NOISE = "0123456789abcdef"


def account(mode: Mode, original_id: str | None = "gh_shop") -> Account:
    keys = () if mode is Mode.PLAINTEXT else (AesKey.parse(AES_KEY),)
    return Account("shop", "wx1", original_id, (TOKEN, OLD_TOKEN), keys, mode)


def received(by: Account, content: str = "hi") -> Genuine:
    """What the gateway makes of a sample."""
    fields = fields_of(by, DEFAULT_USER, NOW, {"MsgType": "text", "Content": content, "MsgId": "1"})
    made = sample(by, fields, timestamp=NOW, nonce="n0nce", noise=NOISE)
    target = urlsplit(made.target)
    assert target.path == "/callback/shop"
    query = read_query(dict(parse_qsl(target.query)))
    return authenticate(by, query, made.body, now=NOW, freshness_s=600)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_sample_is_genuine_in_every_mode(mode: Mode) -> None:
    genuine = received(account(mode), "您好 ]]>")
    push = normalise(parse(genuine.content, genuine.form))

    assert (push.name, push.fields["content"]) == ("text", "您好 ]]>")
    assert (push.to_user, push.from_user) == ("gh_shop", DEFAULT_USER)
    assert genuine.token == 0


def test_an_account_without_an_original_id_gets_a_placeholder() -> None:
    genuine = received(account(Mode.SAFE, None))

    assert normalise(parse(genuine.content, genuine.form)).to_user == UNKNOWN_ORIGINAL_ID


@pytest.mark.parametrize("mode", list(Mode))
def test_the_answer_is_read_as_wechat_would_read_it(mode: Mode) -> None:
    by = account(mode)
    genuine = received(by)
    event = event_of(normalise(parse(genuine.content, genuine.form)), "shop")
    said = answer(
        TextReply("welcome"),
        event=event,
        request=genuine,
        account=by,
        now=NOW,
        nonce="other",
        noise=NOISE,
    )
    body = answered(by, said.body)

    assert body is not None
    assert b"welcome" in body
    assert (b"welcome" in said.body) is (mode is Mode.PLAINTEXT)


@pytest.mark.parametrize("body", [b"", b"success", b" success\n"])
def test_success_and_silence_say_nothing(body: bytes) -> None:
    assert answered(account(Mode.SAFE), body) is None


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"oops", "can't be read"),
        (b"<html>", "can't be read"),
        (b"<xml><Encrypt>AAAA</Encrypt></xml>", "not signed with the account's token"),
    ],
)
def test_an_answer_that_wechat_would_not_take_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(AnswerRefused, match=why):
        answered(account(Mode.SAFE), body)


def test_an_encrypted_answer_in_plaintext_mode_is_refused() -> None:
    with pytest.raises(AnswerRefused, match="no AES key"):
        answered(account(Mode.PLAINTEXT), b"<xml><Encrypt>AAAA</Encrypt></xml>")


def test_a_sample_shows_neither_signature_nor_content() -> None:
    fields = fields_of(account(Mode.SAFE), DEFAULT_USER, NOW, {"MsgType": "text", "Content": "x"})
    made = sample(account(Mode.SAFE), fields, timestamp=NOW, nonce="n", noise=NOISE)

    assert "signature" not in repr(made)
