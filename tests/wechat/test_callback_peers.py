"""The same envelopes and messages in the hands of other people's packages, unmodified."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.replies import deserialize_reply
from werobot.crypto import MessageCrypt
from werobot.parser import parse_user_msg

from scripts.bootstrap import NODE_PEERS, ROOT, has_node_packages
from tests.fixtures.tools import require_tool
from zhongkong.wechat.catalogue import normalise
from zhongkong.wechat.envelope import AesKey, open_envelope, seal
from zhongkong.wechat.passive_reply import (
    Article,
    ImageReply,
    MusicReply,
    NewsReply,
    PassiveReply,
    TextReply,
    TransferReply,
    VideoReply,
    VoiceReply,
    render_reply,
)
from zhongkong.wechat.push import (
    BodyFormat,
    encrypted_part,
    format_of,
    parse,
    render,
    reply_envelope,
)
from zhongkong.wechat.signature import is_genuine, signature

TOKEN = "spamtest"
KEY_TEXT = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
KEY = AesKey.parse(KEY_TEXT)
APPID = "wx2c2769f8efd9abc2"
TIMESTAMP, NONCE = "1700000000", "n0nce"
NOISE = "0123456789abcdef"
XML = BodyFormat.XML

TEXTS = [
    pytest.param("", id="nothing"),
    pytest.param("hello", id="ASCII"),
    pytest.param("我是中文abcd123😀", id="Chinese and an emoji"),
    pytest.param("x" * 26, id="a whole block of padding"),
    pytest.param("a]]>b<Encrypt>&amp;", id="markup"),
    pytest.param("长" * 680, id="the longest"),
]


def text_message(content: str) -> bytes:
    fields = {
        "ToUserName": "gh_0123456789ab",
        "FromUserName": "oABCDEFGHIJKLMNOPQRSTUVWXYZ0",
        "CreateTime": 1700000000,
        "MsgType": "text",
        "Content": content,
        "MsgId": 6054768590064713728,
    }
    return render(fields, XML)


def wechatpy_crypto() -> Any:
    return WeChatCrypto(TOKEN, KEY_TEXT, APPID)


def encrypted_by_wechatpy(message: bytes) -> bytes:
    encrypted: str = wechatpy_crypto().encrypt_message(message.decode(), NONCE, TIMESTAMP)
    return encrypted.encode()


def encrypted_by_werobot(message: bytes) -> bytes:
    crypto = MessageCrypt(TOKEN, KEY_TEXT, APPID)
    encrypted: str = crypto.encrypt_message(message.decode(), TIMESTAMP, NONCE)
    return encrypted.encode()


def sealed_by_us(message: bytes) -> tuple[bytes, str]:
    encrypt = seal(message, KEY, APPID, NOISE)
    signed = signature(TOKEN, TIMESTAMP, NONCE, encrypt)
    return reply_envelope(encrypt, signed, int(TIMESTAMP), NONCE, XML), signed


# ------------------------------------------------------------------------------ theirs, read by us


@pytest.mark.parametrize("content", TEXTS)
@pytest.mark.parametrize("encrypted_by", [encrypted_by_wechatpy, encrypted_by_werobot])
def test_what_an_sdk_encrypted_is_genuine_and_opened(encrypted_by: Any, content: str) -> None:
    message = text_message(content)

    body = encrypted_by(message)
    encrypt = encrypted_part(body, format_of(body))

    claimed = parse(body, XML)["MsgSignature"]
    assert is_genuine(claimed, TOKEN, TIMESTAMP, NONCE, encrypt)
    assert open_envelope(encrypt, KEY, APPID) == message


# ------------------------------------------------------------------------------ ours, read by them


@pytest.mark.parametrize("content", TEXTS)
def test_wechatpy_decrypts_what_we_sealed(content: str) -> None:
    message = text_message(content)

    body, signed = sealed_by_us(message)

    opened = wechatpy_crypto().decrypt_message(body.decode(), signed, TIMESTAMP, NONCE)
    assert opened == message.decode()


@pytest.mark.parametrize("content", TEXTS)
def test_werobot_decrypts_what_we_sealed(content: str) -> None:
    message = text_message(content)
    body, signed = sealed_by_us(message)
    crypto = MessageCrypt(TOKEN, KEY_TEXT, APPID)

    encrypt = encrypted_part(body, XML)

    assert crypto.decrypt_message(TIMESTAMP, NONCE, signed, encrypt) == message


def test_wechatpy_refuses_what_we_signed_with_another_token() -> None:
    body, _ = sealed_by_us(b"<xml></xml>")
    forged = signature("another", TIMESTAMP, NONCE, encrypted_part(body, XML))

    with pytest.raises(InvalidSignatureException):
        wechatpy_crypto().decrypt_message(body.decode(), forged, TIMESTAMP, NONCE)


def test_wechatpy_refuses_what_we_sealed_for_another_appid() -> None:
    encrypt = seal(b"<xml></xml>", KEY, "wx0000000000000000", NOISE)
    signed = signature(TOKEN, TIMESTAMP, NONCE, encrypt)
    body = reply_envelope(encrypt, signed, int(TIMESTAMP), NONCE, XML)

    with pytest.raises(InvalidAppIdException):
        wechatpy_crypto().decrypt_message(body.decode(), signed, TIMESTAMP, NONCE)


_WECHAT_CRYPTO = """
const Crypto = require("wechat-crypto");
const { token, key, appid, timestamp, nonce, envelopes } = JSON.parse(process.argv[1]);
const crypto = new Crypto(token, key, appid);
console.log(JSON.stringify(envelopes.map((encrypt) => ({
  ...crypto.decrypt(encrypt),
  signature: crypto.getSignature(timestamp, nonce, encrypt),
  again: crypto.encrypt(crypto.decrypt(encrypt).message),
}))));
"""


def node() -> str:
    """Skips the test, or fails it under CI, where Node or the packages are missing."""
    program = require_tool("node")
    if has_node_packages():
        return program
    reason = f"the npm packages of {NODE_PEERS} are not installed: run `make test`, which does it"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def through_wechat_crypto(envelopes: list[str]) -> list[dict[str, str]]:
    """What the package reads from each envelope, its signature, and the text sealed by it."""
    given = {
        "token": TOKEN,
        "key": KEY_TEXT,
        "appid": APPID,
        "timestamp": TIMESTAMP,
        "nonce": NONCE,
        "envelopes": envelopes,
    }
    done = subprocess.run(
        [node(), "--no-deprecation", "-e", _WECHAT_CRYPTO, json.dumps(given)],
        cwd=ROOT / NODE_PEERS,
        stdout=subprocess.PIPE,
        timeout=30,
        check=True,
    )
    read: list[dict[str, str]] = json.loads(done.stdout)
    return read


def test_wechat_crypto_and_we_open_and_sign_each_others_envelopes() -> None:
    messages = [text_message(str(case.values[0])) for case in TEXTS]
    envelopes = [seal(message, KEY, APPID, NOISE) for message in messages]

    read = through_wechat_crypto(envelopes)

    assert [each["message"].encode() for each in read] == messages
    assert {each["id"] for each in read} == {APPID}
    assert [each["signature"] for each in read] == [
        signature(TOKEN, TIMESTAMP, NONCE, encrypt) for encrypt in envelopes
    ]
    assert [open_envelope(each["again"], KEY, APPID) for each in read] == messages


# --------------------------------------------------------------------------- messages and replies


def test_wechatpy_and_werobot_read_a_message_as_we_do() -> None:
    message = text_message("]]>你好 &amp; <b>")
    ours = normalise(parse(message, XML))

    theirs = parse_message(message)
    werobots = parse_user_msg(message)

    for read in (theirs, werobots):
        assert read.type == ours.name
        assert read.source == ours.from_user
        assert read.target == ours.to_user
        assert read.content == ours.fields["content"]
    assert str(theirs.id) == str(werobots.message_id) == ours.msg_id


@pytest.mark.parametrize(
    ("reply", "fields"),
    [
        (TextReply("]]>你好"), {"content": "]]>你好"}),
        (ImageReply("m"), {"image": "m"}),
        (VoiceReply("m"), {"voice": "m"}),
        (
            VideoReply("m", "t", "d"),
            {"media_id": "m", "title": "t", "description": "d"},
        ),
        (
            MusicReply("m", "t", "d", "u", "h"),
            {
                "thumb_media_id": "m",
                "title": "t",
                "description": "d",
                "music_url": "u",
                "hq_music_url": "h",
            },
        ),
        (
            NewsReply((Article("t", "d", "p", "u"), Article("t2", "d2", "p2", "u2"))),
            {
                "articles": [
                    {"title": "t", "description": "d", "image": "p", "url": "u"},
                    {"title": "t2", "description": "d2", "image": "p2", "url": "u2"},
                ]
            },
        ),
        (TransferReply(), {}),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, dict) else None,
)
def test_wechatpy_reads_our_replies(reply: PassiveReply, fields: dict[str, Any]) -> None:
    body = render_reply(reply, to_user="o1", from_user="gh_1", create_time=1700000000, form=XML)

    read = deserialize_reply(body.decode())

    assert (read.source, read.target, read.time) == ("gh_1", "o1", 1700000000)
    assert {name: getattr(read, name) for name in fields} == fields
