"""What strangers send: forged, stale, replayed, misdirected, and bodies of all sorts."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote_from_bytes, urlencode

from tests.callback_gateway.fuzz.drafts import Drafts
from tests.callback_gateway.fuzz.parties import PARTIES, PLAINTEXT, SAFE
from tests.callback_gateway.fuzz.shots import Shot
from tests.callback_gateway.fuzz.wire import HOST, XML, request
from tests.simulation.chance import Random

_BODY_LIMIT = 256 * 1024


class Strangers(Drafts):
    """One method a kind."""

    def __init__(self, random: Random, now: Callable[[], int]) -> None:
        super().__init__(random, now)
        self.seen: list[bytes] = []
        """Plaintext callbacks that were taken, whole: what somebody may have captured."""

    def kinds(self) -> dict[str, tuple[int, Callable[[], Shot]]]:
        """Weight and maker of each."""
        return {
            "forged_signature": (8, self.forged_signature),
            "unsigned": (4, self.unsigned),
            "stale": (4, self.stale),
            "wrong_account": (4, self.wrong_account),
            "unknown_account": (2, self.unknown_account),
            "downgrade": (4, self.downgrade),
            "altered_replay": (6, self.altered_replay),
            "noise_body": (6, self.noise_body),
            "noise_query": (8, self.noise_query),
            "forged_echo": (4, self.forged_echo),
            "oversized": (1, self.oversized),
            "odd_encoding": (4, self.odd_encoding),
            "packed": (3, self.packed),
        }

    def forged_signature(self) -> Shot:
        party, canary = self.party(), self.canary()
        query, body = self.callback(party, canary)
        name = self.random.choice(["signature", "msg_signature"])
        query[name] = self.random.choice([canary, self.random.randbytes(20).hex(), "0" * 40, "é"])
        if name == "signature":
            # In the encrypted modes `signature` proves nothing, so the other one must be wrong too.
            query["msg_signature"] = query[name]
            if party is PLAINTEXT:
                del query["msg_signature"]
        return self.post("forged_signature", party, query, body, canary)

    def unsigned(self) -> Shot:
        party, canary = self.party(), self.canary()
        query, body = self.callback(party, canary)
        proof = "signature" if party is PLAINTEXT else "msg_signature"
        gone = self.random.choice([proof, "timestamp", "nonce"])
        query.pop(gone)
        if gone == "msg_signature" and self.random.random() < 0.5:
            query.pop("encrypt_type")
        return self.post("unsigned", party, query, body, canary)

    def stale(self) -> Shot:
        party, canary = self.party(), self.canary()
        away = self.random.choice([-1, 1]) * self.random.randint(700, 10**9)
        query, body = self.callback(party, canary, at=max(self.now() + away, 0))
        return self.post("stale", party, query, body, canary)

    def wrong_account(self) -> Shot:
        canary = self.canary()
        sender, receiver = self.random.sample(PARTIES, 2)
        query, body = self.callback(sender, canary)
        return self.post("wrong_account", receiver, query, body, canary)

    def unknown_account(self) -> Shot:
        canary = self.canary()
        query, body = self.callback(SAFE, canary)
        name = self.random.choice([canary, "Safe", "safe%00", "%73afe%20", "..", "safe;x"])
        target = f"/callback/{name}?{urlencode(query)}".encode()
        return Shot("unknown_account", request(b"POST", target, body), canary.encode())

    def downgrade(self) -> Shot:
        party, canary = self.sealed_party(), self.canary()
        query = party.query(self.now(), canary, None)
        if self.random.random() < 0.5:
            query["encrypt_type"] = self.random.choice(["raw", "AES", "", canary])
        return self.post("downgrade", party, query, self.message(party, canary), canary)

    def altered_replay(self) -> Shot:
        if not self.seen:
            return self.forged_signature()
        canary = self.canary()
        target = self.random.choice(self.seen).split(b" ", 2)[1]
        body = self.random.choice([self.message(PLAINTEXT, canary), canary.encode(), b""])
        return Shot("altered_replay", request(b"POST", target, body), canary.encode())

    def noise_body(self) -> Shot:
        party, canary = self.party(), self.canary()
        query, _ = self.callback(party, canary)
        if party is PLAINTEXT:
            query["signature"] = self.random.randbytes(20).hex()
        noise = self.random.randbytes(self.random.randint(0, 600))
        body = self.random.choice([b"", b"<xml>", b"{", b"<xml><Encrypt>"]) + noise
        return self.post("noise_body", party, query, body + canary.encode(), canary)

    def noise_query(self) -> Shot:
        party, canary, random = self.party(), self.canary(), self.random
        query, body = self.callback(party, canary)
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
        party, canary = self.party(), self.canary()
        query = party.query(self.now(), self.random.randbytes(4).hex(), None, echostr=canary)
        query["signature"] = self.random.choice([canary, query["signature"][::-1], ""])
        return Shot(
            "forged_echo", request(b"GET", party.target(query), headers=(HOST,)), canary.encode()
        )

    def oversized(self) -> Shot:
        party, canary = self.party(), self.canary()
        query, _ = self.callback(party, canary)
        body = canary.encode() + b"x" * (_BODY_LIMIT + self.random.randint(1, _BODY_LIMIT))
        shot = self.post("oversized", party, query, body, canary)
        return replace(shot, alone=True)

    def odd_encoding(self) -> Shot:
        party, canary = self.sealed_party(), self.canary()
        query, body = self.callback(party, canary)
        text = body.decode()
        odd = self.random.choice(
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
        kind = self.random.choice([b"text/xml; charset=utf-7", b"text/xml; charset=x", b"\xff"])
        raw = request(b"POST", party.target(query), odd, headers=(HOST, (b"Content-Type", kind)))
        return Shot("odd_encoding", raw, canary.encode())

    def packed(self) -> Shot:
        """Bodies that say they are packed, some of them bombs."""
        party, canary = self.party(), self.canary()
        query, body = self.callback(party, canary)
        query["signature"] = query["msg_signature"] = canary
        what = self.random.choice(
            [gzip.compress(bytes(8 * 2**20), 9), gzip.compress(body), body, b"", canary.encode()]
        )
        coding = self.random.choice([b"gzip", b"deflate", b"br", b"zstd", b"gzip, gzip", b"x"])
        headers = (HOST, XML, (b"Content-Encoding", coding))
        raw = request(b"POST", party.target(query), what, headers=headers)
        return Shot("packed", raw, canary.encode(), alone=True)
