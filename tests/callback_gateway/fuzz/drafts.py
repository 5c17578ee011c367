"""What all forgeries are made of: callbacks that are genuine but for what is spoilt in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.callback_gateway.fuzz.parties import COMPATIBLE, PARTIES, SAFE, Party
from tests.callback_gateway.fuzz.shots import Shot, canary_of
from tests.callback_gateway.fuzz.wire import request
from tests.simulation.chance import Random
from zhongkong.wechat.push import BodyFormat, render


class Drafts:
    """`now` in Unix seconds; what is drawn comes from `random` alone."""

    def __init__(self, random: Random, now: Callable[[], int]) -> None:
        self.random = random
        self.now = now

    def party(self) -> Party:
        return self.random.choice(PARTIES)

    def sealed_party(self) -> Party:
        """One whose callbacks are encrypted."""
        return self.random.choice([SAFE, COMPATIBLE])

    def canary(self) -> str:
        return canary_of(self.random).decode()

    def message(self, party: Party, canary: str) -> bytes:
        number = self.random.randrange(10**15)
        return render(party.text(canary, number, self.now()), BodyFormat.XML)

    def callback(
        self, party: Party, canary: str, at: int | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Genuine but for what the caller spoils; the canary is in message and nonce."""
        moment = self.now() if at is None else at
        message = self.message(party, canary)
        clear = party.text(canary, 1, moment) if party is COMPATIBLE else None
        return party.callback(message, moment, canary, self.random, clear=clear)

    def post(
        self, kind: str, party: Party, query: Mapping[str, str], body: bytes, canary: str
    ) -> Shot:
        return Shot(kind, request(b"POST", party.target(query), body), canary.encode())
