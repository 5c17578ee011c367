"""Signed with all care, and not for here or no message at all: what only a holder of the token
could send, or a fault of the sender.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.callback_gateway.fuzz.drafts import Drafts
from tests.callback_gateway.fuzz.parties import USER, Party
from tests.callback_gateway.fuzz.shots import Expect, Shot
from zhongkong.wechat.push import BodyFormat, push_envelope

FOREIGN_KEY = "foreignabcdefghijklmnopqrstuvwxyz0123456789"
_LAUGHS = '<!DOCTYPE xml [<!ENTITY l0 "ha">' + "".join(
    f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)
)
_PROLOGS = (
    _LAUGHS + "]>",
    '<!DOCTYPE xml [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
    '<!DOCTYPE xml SYSTEM "http://127.0.0.1:1/x.dtd">',
    '<?xml version="1.1"?><!DOCTYPE xml [<!ENTITY % p "x">%p;]>',
)


class Spoilt(Drafts):
    """One method a kind."""

    def kinds(self) -> dict[str, tuple[int, Callable[[], Shot]]]:
        """Weight and maker of each."""
        return {
            "wrong_key": (3, self.wrong_key),
            "wrong_appid": (3, self.wrong_appid),
            "other_original_id": (2, self.other_original_id),
            "truncated_envelope": (4, self.truncated_envelope),
            "raw_ciphertext": (3, self.raw_ciphertext),
            "truncated_body": (4, self.truncated_body),
            "bomb_around": (3, self.bomb_around),
            "bomb_within": (2, self.bomb_within),
            "deep_around": (2, self.deep_around),
            "deep_within": (1, self.deep_within),
            "noise_within": (3, self.noise_within),
            "odd_json_within": (3, self.odd_json_within),
        }

    def wrong_key(self) -> Shot:
        return self._sealed_by("wrong_key", lambda party: replace(party, aes_key=FOREIGN_KEY))

    def wrong_appid(self) -> Shot:
        return self._sealed_by("wrong_appid", lambda party: replace(party, appid="wx" + "0" * 16))

    def other_original_id(self) -> Shot:
        party, canary = self.party(), self.canary()
        message = self.message(replace(party, original_id=f"gh_{canary}"), canary)
        query, body = party.callback(message, self.now(), canary, self.random)
        return self.post("other_original_id", party, query, body, canary)

    def truncated_envelope(self) -> Shot:
        """Signed with all care over what is no whole envelope."""
        party, canary = self.sealed_party(), self.canary()
        whole = party.seal(self.message(party, canary), self.random)
        cut = self.random.choice(
            [
                whole[: self.random.randrange(len(whole))],
                whole[self.random.randrange(1, len(whole)) :],
                whole[:-1] + "*",
                whole + "A",
                whole + "\u4e00",
            ]
        )
        return self._around("truncated_envelope", party, cut, canary)

    def raw_ciphertext(self) -> Shot:
        """Decrypts to noise: padding, length and appid are what chance makes them."""
        party, canary = self.sealed_party(), self.canary()
        if self.random.random() < 0.5:
            noise = self.random.randbytes(16 * self.random.randint(1, 20))
        else:
            end = bytes([self.random.choice([0, 33, 255])])
            inner = self.random.randbytes(16) + self.random.choice([b"\xff" * 4, bytes(4)])
            noise = party.key.encrypt(inner.ljust(63, b"x") + end)
        return self._around("raw_ciphertext", party, b64encode(noise).decode(), canary)

    def truncated_body(self) -> Shot:
        party, canary = self.sealed_party(), self.canary()
        query, body = self.callback(party, canary)
        cut = self.random.randrange(len(body) - 10)
        return self.post("truncated_body", party, query, body[:cut], canary)

    def bomb_around(self) -> Shot:
        party, canary = self.sealed_party(), self.canary()
        query, body = self.callback(party, canary)
        bomb = self.random.choice(_PROLOGS).encode() + self._with_entity(body)
        return self.post("bomb_around", party, query, bomb, canary)

    def bomb_within(self) -> Shot:
        party, canary = self.party(), self.canary()
        prolog = self.random.choice(_PROLOGS).encode()
        return self._within(
            "bomb_within", party, prolog + self._with_entity(self.message(party, canary)), canary
        )

    def deep_around(self) -> Shot:
        party, canary = self.sealed_party(), self.canary()
        query, body = self.callback(party, canary)
        return self.post("deep_around", party, query, self._deepened(body), canary)

    def deep_within(self) -> Shot:
        party, canary = self.party(), self.canary()
        message = self._deepened(self.message(party, canary))
        return self._within("deep_within", party, message, canary)

    def noise_within(self) -> Shot:
        """Genuine by its proof, and nothing that could be read."""
        party, canary, random = self.party(), self.canary(), self.random
        texts = [
            f"<xml>{canary}",
            f"<xml><MsgType>{canary}</MsgType></xml>",
            f"<xml>{'<a>' * 3000}{canary}{'</a>' * 3000}</xml>",
            f"<xml>{'<a/>' * 2500}{canary}</xml>",
            f"{canary}",
            f"<xml><A>{canary}</A><A>{canary}</A></xml>",
            f'<?xml version="1.0" encoding="gbk"?><xml><A>{canary}</A></xml>',
            f"<xml><ToUserName>{party.original_id}</ToUserName><CreateTime>{canary}</CreateTime></xml>",
            f"<xml>\x00{canary}</xml>",
        ]
        spoilt = random.choice([b"", b"\xff\xfe"])
        return self._within("noise_within", party, random.choice(texts).encode() + spoilt, canary)

    def odd_json_within(self) -> Shot:
        party, canary = self.party(), self.canary()
        sound: dict[str, Any] = party.text(canary, 1, self.now())
        document = json.dumps(sound)
        texts = [
            document[:-1] + f',"Content":"{canary}"}}',
            document[:-1] + ',"Deep":' + "[" * 5000 + "]" * 5000 + "}",
            document[:-1] + ',"Number":1e9999}',
            document[:-1] + ',"Number":NaN}',
            document[:-1] + f',"Number":{"9" * 5000}}}',
            document[:-1] + ',"Half":"\\ud800"}',
            json.dumps({**sound, "CreateTime": 10**30}),
            json.dumps({**sound, "MsgType": ["text"]}),
            json.dumps({**sound, "FromUserName": None}),
            json.dumps({**sound, "Event": {}, "MsgType": "event"}),
            "{" * 3000 + canary,
        ]
        return self._within("odd_json_within", party, self.random.choice(texts).encode(), canary)

    def _sealed_by(self, kind: str, change: Callable[[Party], Party]) -> Shot:
        party, canary = self.sealed_party(), self.canary()
        query, body = self.callback(change(party), canary)
        return self.post(kind, party, query, body, canary)

    def _around(self, kind: str, party: Party, sealed: str, canary: str) -> Shot:
        query = party.query(self.now(), canary, sealed)
        body = push_envelope(USER, sealed, BodyFormat.XML)
        return self.post(kind, party, query, body, canary)

    def _within(self, kind: str, party: Party, message: bytes, canary: str) -> Shot:
        """Genuine, and unreadable. The canary in it makes each a message of its own."""
        query, body = party.callback(message, self.now(), canary, self.random)
        return replace(self.post(kind, party, query, body, canary), expect=Expect.MALFORMED)

    def _with_entity(self, body: bytes) -> bytes:
        return body.removesuffix(b"</xml>") + b"<N>&l9;</N></xml>"

    def _deepened(self, body: bytes) -> bytes:
        depth = self.random.choice([17, 100, 10_000])
        return body.removesuffix(b"</xml>") + b"<a>" * depth + b"</a>" * depth + b"</xml>"
