"""The crypto of wechatpy, WeRoBot and wechat-crypto, unmodified, under one set of names.

Each is told token, EncodingAESKey and appid as its users tell it. What they must agree on is in
the tests.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from xml.etree import ElementTree as ET

import pytest
from wechatpy.crypto import WeChatCrypto
from werobot.crypto import MessageCrypt

from scripts.bootstrap import NODE_PEERS, has_node_packages
from tests.fixtures.tools import require_tool

_DRIVER = Path(__file__).with_name("wechat_crypto.js")
_NODE_S = 30.0


@dataclass(frozen=True)
class Keys:
    """What WeChat and an application share."""

    token: str
    aes_key: str
    appid: str


@dataclass(frozen=True)
class Sealed:
    """A ciphertext with what signs it."""

    encrypted: str
    signature: str
    timestamp: str
    nonce: str


class Crypto(Protocol):
    def seal(self, message: str, timestamp: str, nonce: str) -> Sealed: ...

    def open(self, sealed: Sealed) -> str:
        """Check the signature and the appid, and return the message; each raises its own way."""


class Wechatpy:
    def __init__(self, keys: Keys) -> None:
        self._crypto = WeChatCrypto(keys.token, keys.aes_key, keys.appid)

    def seal(self, message: str, timestamp: str, nonce: str) -> Sealed:
        return sealed_in(self._crypto.encrypt_message(message, nonce, timestamp))

    def open(self, sealed: Sealed) -> str:
        envelope = f"<xml><Encrypt><![CDATA[{sealed.encrypted}]]></Encrypt></xml>"
        opened = self._crypto.decrypt_message(
            envelope, sealed.signature, sealed.timestamp, sealed.nonce
        )
        return str(opened)


class WeRoBot:
    def __init__(self, keys: Keys) -> None:
        self._crypto = MessageCrypt(keys.token, keys.aes_key, keys.appid)

    def seal(self, message: str, timestamp: str, nonce: str) -> Sealed:
        return sealed_in(self._crypto.encrypt_message(message, timestamp, nonce))

    def open(self, sealed: Sealed) -> str:
        opened: bytes = self._crypto.decrypt_message(
            sealed.timestamp, sealed.nonce, sealed.signature, sealed.encrypted
        )
        return opened.decode()


class WechatCrypto:
    """wechat-crypto from npm, which co-wechat uses; a Node process for each call."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._node = _node()

    def seal(self, message: str, timestamp: str, nonce: str) -> Sealed:
        answer = self._do({"message": message, "timestamp": timestamp, "nonce": nonce})
        return Sealed(answer["encrypted"], answer["signature"], timestamp, nonce)

    def open(self, sealed: Sealed) -> str:
        answer = self._do(
            {"encrypted": sealed.encrypted, "timestamp": sealed.timestamp, "nonce": sealed.nonce}
        )
        # The library leaves these comparisons to its caller.
        assert answer["signature"] == sealed.signature
        assert answer["appid"] == self._keys.appid
        return str(answer["message"])

    def _do(self, asked: dict[str, str]) -> Any:
        keys = self._keys
        asked |= {"token": keys.token, "aesKey": keys.aes_key, "appid": keys.appid}
        done = subprocess.run(
            [self._node, str(_DRIVER)],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=_NODE_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def sealed_in(envelope: str) -> Sealed:
    """Read the XML that carries an encrypted reply."""
    root = ET.fromstring(envelope)
    names = ("Encrypt", "MsgSignature", "TimeStamp", "Nonce")
    return Sealed(*(root.findtext(name, "") for name in names))


def _node() -> str:
    """Skips the test, or fails it under CI, where Node or the packages are missing."""
    node = require_tool("node")
    if has_node_packages():
        return node
    reason = f"the npm packages of {NODE_PEERS} are not installed: run `make test`, which does it"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


CRYPTOS: dict[str, Callable[[Keys], Crypto]] = {
    "wechatpy": Wechatpy,
    "WeRoBot": WeRoBot,
    "wechat-crypto": WechatCrypto,
}
