"""The crypto of wechatpy, WeRoBot and wechat-crypto, unmodified, under one set of names.

Each is told token, EncodingAESKey and appid as its users tell it. What they must agree on is in
the tests.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
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
    """wechat-crypto from npm, which co-wechat uses."""

    def __init__(self, keys: Keys, node: Node) -> None:
        self._keys = keys
        self._node = node

    def seal(self, message: str, timestamp: str, nonce: str) -> Sealed:
        answer = self._ask({"message": message, "timestamp": timestamp, "nonce": nonce})
        return Sealed(answer["encrypted"], answer["signature"], timestamp, nonce)

    def open(self, sealed: Sealed) -> str:
        answer = self._ask(
            {"encrypted": sealed.encrypted, "timestamp": sealed.timestamp, "nonce": sealed.nonce}
        )
        # The library leaves these comparisons to its caller.
        assert answer["signature"] == sealed.signature
        assert answer["appid"] == self._keys.appid
        return answer["message"]

    def _ask(self, asked: dict[str, str]) -> dict[str, str]:
        keys = self._keys
        asked |= {"token": keys.token, "aesKey": keys.aes_key, "appid": keys.appid}
        return self._node.ask(asked)


class Node:
    """One process of Node that has loaded wechat-crypto, and answers as wechat_crypto.js says."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def ask(self, asked: dict[str, str]) -> dict[str, str]:
        orders, answers = self._process.stdin, self._process.stdout
        assert orders is not None
        assert answers is not None
        orders.write(json.dumps(asked).encode() + b"\n")
        orders.flush()
        coming = select.poll()
        coming.register(answers, select.POLLIN)
        line = b""
        while not line.endswith(b"\n"):
            assert coming.poll(_NODE_S * 1000), f"Node was silent for {_NODE_S} s"
            part = os.read(answers.fileno(), 65536)
            assert part, "Node has ended; what it said is above"
            line += part
        answer: dict[str, str] = json.loads(line)
        assert "error" not in answer, answer
        return answer


@contextmanager
def node() -> Iterator[Node]:
    """Skips the test, or fails it under CI, where Node or the packages are missing."""
    words = [_node(), str(_DRIVER)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Node(process)
        finally:
            process.kill()


def sealed_in(envelope: str) -> Sealed:
    """Read the XML that carries an encrypted reply."""
    root = ET.fromstring(envelope)
    names = ("Encrypt", "MsgSignature", "TimeStamp", "Nonce")
    return Sealed(*(root.findtext(name, "") for name in names))


def _node() -> str:
    node = require_tool("node")
    if has_node_packages():
        return node
    reason = f"the npm packages of {NODE_PEERS} are not installed: run `make test`, which does it"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


LIBRARIES = ("wechatpy", "WeRoBot", "wechat-crypto")


def crypto(library: str, keys: Keys, node: Callable[[], Node]) -> Crypto:
    """One of LIBRARIES with these keys. `node` is asked for where it is needed."""
    match library:
        case "wechatpy":
            return Wechatpy(keys)
        case "WeRoBot":
            return WeRoBot(keys)
        case _:
            return WechatCrypto(keys, node())
