"""A seeded salvo: hostile shots from all sides, and genuine callbacks in between."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.callback_gateway.fuzz.gun import Flaw, Gun, flaws
from tests.callback_gateway.fuzz.odd_headers import OddHeaders
from tests.callback_gateway.fuzz.odd_lines import OddLines
from tests.callback_gateway.fuzz.parties import PARTIES, PLAINTEXT, Party
from tests.callback_gateway.fuzz.shots import Expect, Shot
from tests.callback_gateway.fuzz.spoilt import Spoilt
from tests.callback_gateway.fuzz.strangers import Strangers
from tests.callback_gateway.fuzz.wire import NotHttp
from tests.simulation.chance import Random
from zhongkong.runtime.clock import SystemClock

GUNS = 16
GENUINE_EVERY = 40
_STORED_OF_EACH = 20
_FLAWS_KEPT = 20
_CLOCK = SystemClock()


@dataclass
class Report:
    """`answers` counts (kind, status), 0 for none. `genuine`: contents that were sent."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    flaws: list[Flaw] = field(default_factory=list)
    genuine: set[str] = field(default_factory=set)
    unanswered: list[str] = field(default_factory=list)
    """Genuine callbacks that did not get their reply."""
    slowest_s: float = 0.0
    """Of the answers to genuine callbacks."""
    malformed: int = 0

    def statuses(self) -> dict[str, dict[int, int]]:
        """By kind."""
        kinds: dict[str, dict[int, int]] = {}
        for (kind, status), count in sorted(self.answers.items()):
            kinds.setdefault(kind, {})[status] = count
        return kinds


@dataclass(frozen=True)
class _Genuine:
    """A text message as a whole request."""

    party: Party
    content: str
    nonce: bytes
    raw: bytes = field(repr=False)


class Salvo:
    """`reply` is what genuine texts are answered."""

    def __init__(self, port: int, seed: int, reply: str) -> None:
        self._port = port
        self._random = Random(seed)
        self._reply = reply
        self._numbers = itertools.count(1)
        self._strangers = Strangers(self._random, _now)
        self._odd_lines = OddLines(self._random)
        self.report = Report()
        kinds = {
            **self._strangers.kinds(),
            **Spoilt(self._random, _now).kinds(),
            **self._odd_lines.kinds(),
            **OddHeaders(self._random).kinds(),
        }
        self._makers = [make for _, make in kinds.values()]
        self._weights = list(itertools.accumulate(weight for weight, _ in kinds.values()))

    async def prepare(self) -> None:
        """Send genuine callbacks of each account; from now on they can be replayed and damaged."""
        gun = Gun(self._port)
        for party in PARTIES * _STORED_OF_EACH:
            genuine = self._genuine(party)
            await self._send(gun, genuine)
            self._odd_lines.stored.append((genuine.raw, genuine.nonce))
            if party is PLAINTEXT:
                self._strangers.seen.append(genuine.raw)
        await gun.close()

    async def fire(self, count: int) -> None:
        """So many hostile shots, from GUNS connections at once."""
        volley = self._volley(count)
        async with asyncio.TaskGroup() as group:
            for _ in range(GUNS):
                group.create_task(self._fire_on(volley))

    def _volley(self, count: int) -> Iterator[Shot | _Genuine]:
        """All that is drawn is drawn here, in one order, whoever fires it: so a seed replays."""
        for number in range(count):
            if number % GENUINE_EVERY == 0:
                yield self._genuine(self._random.choice(PARTIES))
            (make,) = self._random.choices(self._makers, cum_weights=self._weights)
            yield make()

    async def _fire_on(self, volley: Iterator[Shot | _Genuine]) -> None:
        gun = Gun(self._port)
        for each in volley:
            if isinstance(each, Shot):
                await self._fire_one(gun, each)
            else:
                await self._send(gun, each)
        await gun.close()

    async def _fire_one(self, gun: Gun, shot: Shot) -> None:
        report = self.report
        try:
            answer = await gun.fire(shot)
        except NotHttp as no_answer:
            report.flaws.append(Flaw(str(no_answer), shot, None))
            return
        report.answers[shot.kind, answer.status if answer else 0] += 1
        report.malformed += shot.expect is Expect.MALFORMED
        if len(report.flaws) < _FLAWS_KEPT:
            report.flaws.extend(flaws(shot, answer))

    async def _send(self, gun: Gun, genuine: _Genuine) -> None:
        """Send one and check its reply."""
        began = _CLOCK.monotonic()
        answer = await gun.fire(Shot("genuine", genuine.raw, b"-"))
        self.report.slowest_s = max(self.report.slowest_s, _CLOCK.monotonic() - began)
        self.report.genuine.add(genuine.content)
        said: object = answer
        if answer is not None and answer.status == 200:
            said = genuine.party.said(answer.body)["Content"]
        if said != self._reply:
            name = genuine.party.name
            self.report.unanswered.append(f"{genuine.content} of {name}: {said!r}")

    def _genuine(self, party: Party) -> _Genuine:
        number = next(self._numbers)
        content, nonce = f"genuine-{number}", f"nonce{number:010}"
        raw = party.genuine(content, number, _now(), nonce, self._random)
        return _Genuine(party, content, nonce.encode(), raw)


def _now() -> int:
    return int(_CLOCK.now())
