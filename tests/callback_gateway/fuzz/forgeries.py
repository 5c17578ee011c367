"""Sound HTTP with what no callback of WeChat is: forged, stale, altered, foreign, spoilt."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

from tests.callback_gateway.fuzz.parties import COMPATIBLE, PARTIES, PLAINTEXT, SAFE, USER, Party
from tests.callback_gateway.fuzz.shots import CANARY_BYTES, Expect, Shot
from tests.callback_gateway.fuzz.wire import HOST, XML, request
from tests.simulation.chance import Random
from zhongkong.wechat.push import BodyFormat, push_envelope, render

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
_BODY_LIMIT = 256 * 1024


class Forgeries:
    """One method a kind. `now` in Unix seconds; what is drawn comes from `random` alone."""

    def __init__(self, random: Random, now: Callable[[], int]) -> None:
        self._random = random
        self._now = now
        self.seen: list[bytes] = []
        """Plaintext callbacks that were taken, whole: what somebody may have captured."""

    def kinds(self) -> dict[str, tuple[int, Callable[[], Shot]]]:
        """Weight and maker of each."""
        return {
            "forged_signature": (8, self.forged_signature),
            "unsigned": (4, self.unsigned),
            "stale": (4, self.stale),
            "wrong_key": (3, self.wrong_key),
            "wrong_appid": (3, self.wrong_appid),
            "wrong_account": (4, self.wrong_account),
            "unknown_account": (2, self.unknown_account),
            "other_original_id": (2, self.other_original_id),
            "truncated_envelope": (4, self.truncated_envelope),
            "truncated_body": (4, self.truncated_body),
            "raw_ciphertext": (3, self.raw_ciphertext),
            "downgrade": (4, self.downgrade),
            "altered_replay": (6, self.altered_replay),
            "oversized": (1, self.oversized),
            "bomb_around": (3, self.bomb_around),
            "bomb_within": (2, self.bomb_within),
            "deep_around": (2, self.deep_around),
            "deep_within": (1, self.deep_within),
            "noise_body": (6, self.noise_body),
            "noise_within": (3, self.noise_within),
            "odd_json_within": (3, self.odd_json_within),
            "odd_encoding": (4, self.odd_encoding),
            "packed": (3, self.packed),
            "noise_query": (8, self.noise_query),
            "forged_echo": (4, self.forged_echo),
        }

    # -- strangers ---------------------------------------------------------------------------------

    def forged_signature(self) -> Shot:
        party, canary = self._party(), self._canary()
        query, body = self._callback(party, canary)
        name = self._random.choice(["signature", "msg_signature"])
        query[name] = self._random.choice([canary, self._random.randbytes(20).hex(), "0" * 40, "é"])
        if name == "signature":
            # In the encrypted modes `signature` proves nothing, so the other one must be wrong too.
            query["msg_signature"] = query[name]
            if party is PLAINTEXT:
                del query["msg_signature"]
        return self._post("forged_signature", party, query, body, canary)

    def unsigned(self) -> Shot:
        party, canary = self._party(), self._canary()
        query, body = self._callback(party, canary)
        proof = "signature" if party is PLAINTEXT else "msg_signature"
        gone = self._random.choice([proof, "timestamp", "nonce"])
        query.pop(gone)
        if gone == "msg_signature" and self._random.random() < 0.5:
            query.pop("encrypt_type")
        return self._post("unsigned", party, query, body, canary)

    def stale(self) -> Shot:
        party, canary = self._party(), self._canary()
        away = self._random.choice([-1, 1]) * self._random.randint(700, 10**9)
        query, body = self._callback(party, canary, at=max(self._now() + away, 0))
        return self._post("stale", party, query, body, canary)

    def downgrade(self) -> Shot:
        party, canary = self._random.choice([SAFE, COMPATIBLE]), self._canary()
        query = party.query(self._now(), canary, None)
        if self._random.random() < 0.5:
            query["encrypt_type"] = self._random.choice(["raw", "AES", "", canary])
        return self._post("downgrade", party, query, self._message(party, canary), canary)

    def altered_replay(self) -> Shot:
        if not self.seen:
            return self.forged_signature()
        canary = self._canary()
        target = self._random.choice(self.seen).split(b" ", 2)[1]
        body = self._random.choice([self._message(PLAINTEXT, canary), canary.encode(), b""])
        return Shot("altered_replay", request(b"POST", target, body), canary.encode())

    def noise_body(self) -> Shot:
        party, canary = self._party(), self._canary()
        query, _ = self._callback(party, canary)
        if party is PLAINTEXT:
            query["signature"] = self._random.randbytes(20).hex()
        noise = self._random.randbytes(self._random.randint(0, 600))
        body = self._random.choice([b"", b"<xml>", b"{", b"<xml><Encrypt>"]) + noise
        return self._post("noise_body", party, query, body + canary.encode(), canary)

    def noise_query(self) -> Shot:
        party, canary, random = self._party(), self._canary(), self._random
        query, body = self._callback(party, canary)
        query["signature"] = query["msg_signature"] = canary
        words = urlencode(query)
        for _ in range(random.randint(1, 8)):
            noise = random.choice(
                [
                    quote_from_bytes(random.randbytes(random.randint(1, 30))),
                    f"timestamp={random.choice(['-1', '1e9', '９９９', '0x10', '9' * 80, '%00'])}",
                    f"signature={canary}&signature={canary[::-1]}",
                    f"nonce={'n' * random.randint(1, 400)}",
                    f"%{canary}=%zz&&&;;=&=",
                    random.choice(["encrypt_type=aes", "encrypt_type[]=aes", "msg_signature"]),
                    "?" * random.randint(1, 5) + "#" * random.randint(0, 1),
                ]
            )
            words = random.choice([f"{noise}&{words}", f"{words}&{noise}", noise])
        target = f"/callback/{party.name}?{words}&x={canary}".encode("utf-8", "replace")
        if random.random() < 0.3:
            target += bytes(random.randint(0x80, 0xFF) for _ in range(4))
        return Shot("noise_query", request(b"POST", target, body), canary.encode())

    def forged_echo(self) -> Shot:
        party, canary = self._party(), self._canary()
        query = party.query(self._now(), self._random.randbytes(4).hex(), None, echostr=canary)
        query["signature"] = self._random.choice([canary, query["signature"][::-1], ""])
        return Shot(
            "forged_echo", request(b"GET", party.target(query), headers=(HOST,)), canary.encode()
        )

    # -- well-signed, and not for here --------------------------------------------------------------

    def wrong_key(self) -> Shot:
        return self._sealed_by("wrong_key", lambda party: replace(party, aes_key=FOREIGN_KEY))

    def wrong_appid(self) -> Shot:
        return self._sealed_by("wrong_appid", lambda party: replace(party, appid="wx" + "0" * 16))

    def wrong_account(self) -> Shot:
        canary = self._canary()
        sender, receiver = self._random.sample(PARTIES, 2)
        query, body = self._callback(sender, canary)
        return self._post("wrong_account", receiver, query, body, canary)

    def unknown_account(self) -> Shot:
        canary = self._canary()
        query, body = self._callback(SAFE, canary)
        name = self._random.choice([canary, "Safe", "safe%00", "%73afe%20", "..", "safe;x"])
        target = f"/callback/{name}?{urlencode(query)}".encode()
        return Shot("unknown_account", request(b"POST", target, body), canary.encode())

    def other_original_id(self) -> Shot:
        party, canary = self._party(), self._canary()
        message = self._message(replace(party, original_id=f"gh_{canary}"), canary)
        query, body = party.callback(message, self._now(), canary, self._random)
        return self._post("other_original_id", party, query, body, canary)

    # -- spoilt -------------------------------------------------------------------------------------

    def truncated_envelope(self) -> Shot:
        """Signed with all care over what is no whole envelope."""
        party, canary = self._random.choice([SAFE, COMPATIBLE]), self._canary()
        whole = party.seal(self._message(party, canary), self._random)
        cut = self._random.choice(
            [
                whole[: self._random.randrange(len(whole))],
                whole[self._random.randrange(1, len(whole)) :],
                whole[:-1] + "*",
                whole + "A",
                whole + "\u4e00",
            ]
        )
        return self._around("truncated_envelope", party, cut, canary)

    def raw_ciphertext(self) -> Shot:
        """Decrypts to noise: padding, length and appid are what chance makes them."""
        party, canary = self._random.choice([SAFE, COMPATIBLE]), self._canary()
        if self._random.random() < 0.5:
            noise = self._random.randbytes(16 * self._random.randint(1, 20))
        else:
            end = bytes([self._random.choice([0, 33, 255])])
            inner = self._random.randbytes(16) + self._random.choice([b"\xff" * 4, bytes(4)])
            noise = party.key.encrypt(inner.ljust(63, b"x") + end)
        return self._around("raw_ciphertext", party, b64encode(noise).decode(), canary)

    def truncated_body(self) -> Shot:
        party, canary = self._random.choice([SAFE, COMPATIBLE]), self._canary()
        query, body = self._callback(party, canary)
        cut = self._random.randrange(len(body) - 10)
        return self._post("truncated_body", party, query, body[:cut], canary)

    def oversized(self) -> Shot:
        party, canary = self._party(), self._canary()
        query, _ = self._callback(party, canary)
        body = canary.encode() + b"x" * (_BODY_LIMIT + self._random.randint(1, _BODY_LIMIT))
        shot = self._post("oversized", party, query, body, canary)
        return replace(shot, alone=True)

    def bomb_around(self) -> Shot:
        party, canary = self._random.choice([SAFE, COMPATIBLE]), self._canary()
        query, body = self._callback(party, canary)
        bomb = self._random.choice(_PROLOGS).encode() + self._with_entity(body)
        return self._post("bomb_around", party, query, bomb, canary)

    def bomb_within(self) -> Shot:
        party, canary = self._party(), self._canary()
        prolog = self._random.choice(_PROLOGS).encode()
        return self._within(
            "bomb_within", party, prolog + self._with_entity(self._message(party, canary)), canary
        )

    def deep_around(self) -> Shot:
        party, canary = self._random.choice([SAFE, COMPATIBLE]), self._canary()
        query, body = self._callback(party, canary)
        return self._post("deep_around", party, query, self._deepened(body), canary)

    def deep_within(self) -> Shot:
        party, canary = self._party(), self._canary()
        message = self._deepened(self._message(party, canary))
        return self._within("deep_within", party, message, canary)

    def noise_within(self) -> Shot:
        """Genuine by its proof, and nothing that could be read."""
        party, canary, random = self._party(), self._canary(), self._random
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
        return self._within("noise_within", party, random.choice(texts).encode(), canary)

    def odd_json_within(self) -> Shot:
        party, canary = self._party(), self._canary()
        sound: dict[str, Any] = party.text(canary, 1, self._now())
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
        return self._within("odd_json_within", party, self._random.choice(texts).encode(), canary)

    def odd_encoding(self) -> Shot:
        party, canary = self._random.choice([SAFE, COMPATIBLE]), self._canary()
        query, body = self._callback(party, canary)
        text = body.decode()
        odd = self._random.choice(
            [
                text.encode("utf-16"),
                text.encode("utf-32"),
                b"\xef\xbb\xbf" + body,
                f'<?xml version="1.0" encoding="utf-16"?>{text}'.encode(),
                body.replace(b"Encrypt", b"Encr\xff\xfept"),
                body.replace(b"Encrypt", "Ｅncrypt".encode()),
                body.translate(bytes(range(128)) + bytes(128)).replace(b"A", b"\xc0\x80"),
            ]
        )
        kind = self._random.choice([b"text/xml; charset=utf-7", b"text/xml; charset=x", b"\xff"])
        raw = request(b"POST", party.target(query), odd, headers=(HOST, (b"Content-Type", kind)))
        return Shot("odd_encoding", raw, canary.encode())

    def packed(self) -> Shot:
        """Bodies that say they are packed, some of them bombs."""
        party, canary = self._party(), self._canary()
        query, body = self._callback(party, canary)
        query["signature"] = query["msg_signature"] = canary
        what = self._random.choice(
            [gzip.compress(bytes(8 * 2**20), 9), gzip.compress(body), body, b"", canary.encode()]
        )
        coding = self._random.choice([b"gzip", b"deflate", b"br", b"zstd", b"gzip, gzip", b"x"])
        headers = (HOST, XML, (b"Content-Encoding", coding))
        raw = request(b"POST", party.target(query), what, headers=headers)
        return Shot("packed", raw, canary.encode(), alone=True)

    # -- parts --------------------------------------------------------------------------------------

    def _party(self) -> Party:
        return self._random.choice(PARTIES)

    def _canary(self) -> str:
        return "Zq" + self._random.randbytes(CANARY_BYTES).hex()

    def _message(self, party: Party, canary: str) -> bytes:
        number = self._random.randrange(10**15)
        return render(party.text(canary, number, self._now()), BodyFormat.XML)

    def _callback(
        self, party: Party, canary: str, at: int | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Genuine but for what the caller spoils; the canary is in message and nonce."""
        moment = self._now() if at is None else at
        message = self._message(party, canary)
        clear = party.text(canary, 1, moment) if party is COMPATIBLE else None
        return party.callback(message, moment, canary, self._random, clear=clear)

    def _post(
        self, kind: str, party: Party, query: Mapping[str, str], body: bytes, canary: str
    ) -> Shot:
        return Shot(kind, request(b"POST", party.target(query), body), canary.encode())

    def _sealed_by(self, kind: str, change: Callable[[Party], Party]) -> Shot:
        party, canary = self._random.choice([SAFE, COMPATIBLE]), self._canary()
        query, body = self._callback(change(party), canary)
        return self._post(kind, party, query, body, canary)

    def _around(self, kind: str, party: Party, sealed: str, canary: str) -> Shot:
        query = party.query(self._now(), canary, sealed)
        body = push_envelope(USER, sealed, BodyFormat.XML)
        return self._post(kind, party, query, body, canary)

    def _within(self, kind: str, party: Party, message: bytes, canary: str) -> Shot:
        """Genuine, and unreadable. The canary in it makes each a message of its own."""
        query, body = party.callback(message, self._now(), canary, self._random)
        return replace(self._post(kind, party, query, body, canary), expect=Expect.MALFORMED)

    def _with_entity(self, body: bytes) -> bytes:
        return body.removesuffix(b"</xml>") + b"<N>&l9;</N></xml>"

    def _deepened(self, body: bytes) -> bytes:
        depth = self._random.choice([17, 100, 10_000])
        return body.removesuffix(b"</xml>") + b"<a>" * depth + b"</a>" * depth + b"</xml>"
