"""The accounts that are attacked, and what WeChat would send for them: sealed, signed, as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.callback_gateway.fuzz.wire import request
from tests.simulation.chance import Random
from zhongkong.wechat.envelope import AesKey, open_envelope, seal
from zhongkong.wechat.push import BodyFormat, encrypted_part, parse, push_envelope, render
from zhongkong.wechat.signature import signature

USER = "oFuzzingUser0123456789abcdef"


@dataclass(frozen=True)
class Party:
    """One account. `name` is its mode too."""

    name: str
    appid: str
    original_id: str
    token: str = field(repr=False)
    aes_key: str = field(repr=False)

    @property
    def key(self) -> AesKey:
        return AesKey.parse(self.aes_key)

    def settings(self) -> dict[str, Any]:
        """The account's entry in the configuration; the gateway reads the secrets from files."""
        return {
            "name": self.name,
            "appid": self.appid,
            "original_id": self.original_id,
            "tokens": [{"file": f"{self.name}.token"}],
            "aes_keys": [] if self.name == "plaintext" else [{"file": f"{self.name}.aes"}],
            "mode": self.name,
        }

    def text(self, content: str, msg_id: int, at: int) -> dict[str, Any]:
        """A text message of USER."""
        return {
            "ToUserName": self.original_id,
            "FromUserName": USER,
            "CreateTime": at,
            "MsgType": "text",
            "Content": content,
            "MsgId": msg_id,
        }

    def query(self, at: int, nonce: str, encrypted: str | None, **more: str) -> dict[str, str]:
        """Signed; `encrypted` None: as for a body in clear."""
        words = {
            "signature": signature(self.token, str(at), nonce),
            "timestamp": str(at),
            "nonce": nonce,
            "openid": USER,
        }
        if encrypted is not None:
            words["encrypt_type"] = "aes"
            words["msg_signature"] = signature(self.token, str(at), nonce, encrypted)
        return words | more

    def seal(self, message: bytes, random: Random) -> str:
        return seal(message, self.key, self.appid, random.randbytes(8).hex())

    def callback(
        self,
        message: bytes,
        at: int,
        nonce: str,
        random: Random,
        *,
        clear: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, str], bytes]:
        """Query and body of a genuine callback with this message; `clear` beside Encrypt."""
        if self.name == "plaintext":
            return self.query(at, nonce, None), message
        sealed = self.seal(message, random)
        body = push_envelope(self.original_id, sealed, BodyFormat.XML)
        if clear is not None:
            body = render({**clear, "Encrypt": sealed}, BodyFormat.XML)
        return self.query(at, nonce, sealed), body

    def target(self, query: Mapping[str, str] | str) -> bytes:
        words = query if isinstance(query, str) else urlencode(query)
        return f"/callback/{self.name}?{words}".encode()

    def genuine(self, content: str, msg_id: int, at: int, nonce: str, random: Random) -> bytes:
        """A text message as a whole request."""
        fields = self.text(content, msg_id, at)
        clear = fields if self.name == "compatible" else None
        message = render(fields, BodyFormat.XML)
        query, body = self.callback(message, at, nonce, random, clear=clear)
        return request(b"POST", self.target(query), body)

    def said(self, body: bytes) -> dict[str, Any]:
        """What an answer says, opened as WeChat opens it."""
        if self.name != "plaintext":
            body = open_envelope(encrypted_part(body, BodyFormat.XML), self.key, self.appid)
        return parse(body, BodyFormat.XML)


SAFE = Party(
    "safe",
    "wx00000000000safe0",
    "gh_safe",
    "safeTokenSafeTokenSafeToken",
    "safeabcdefghijklmnopqrstuvwxyz0123456789ABC",
)
COMPATIBLE = Party(
    "compatible",
    "wx0000000compatible",
    "gh_compatible",
    "compatibleTokenCompatibleToken",
    "compabcdefghijklmnopqrstuvwxyz0123456789ABC",
)
PLAINTEXT = Party(
    "plaintext",
    "wx00000000plaintext",
    "gh_plaintext",
    "plaintextTokenPlaintextToken",
    "plaiabcdefghijklmnopqrstuvwxyz0123456789ABC",
)
PARTIES = (SAFE, COMPATIBLE, PLAINTEXT)
