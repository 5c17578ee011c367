"""The newest requests to accounts' servers with their bodies, for whoever looks on live. Bounded.

Records of all tries, without bodies, are the push book's; how these are shown is in exchanges.py.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from zhongkong.emulator.callbacks.deliveries import Delivered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from zhongkong.emulator.callbacks.deliveries import Delivery
    from zhongkong.emulator.callbacks.desk import Sending
    from zhongkong.emulator.callbacks.judging import Bench
    from zhongkong.emulator.callbacks.office import Parcel
    from zhongkong.emulator.callbacks.records import Attempt, PushRecord
    from zhongkong.emulator.world import World

EXCHANGES_HELD: Final = 200
BODY_HELD: Final = 64 * 1024
"""Bytes of one body; of a longer one only the beginning is kept."""


@dataclass(frozen=True, slots=True)
class HeldBody:
    """`size` is that of the whole."""

    data: bytes = field(repr=False)
    size: int

    @classmethod
    def of(cls, body: bytes) -> HeldBody:
        return cls(body[:BODY_HELD], len(body))

    @property
    def whole(self) -> bool:
        return len(self.data) == self.size


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One try. `revision` grows with whatever happens to it; `message` is unencrypted."""

    revision: int
    push: PushRecord
    attempt: Attempt
    url: str
    query: Mapping[str, str] = field(repr=False)
    content_type: str
    sent: HeldBody
    message: HeldBody
    bench: Bench = field(repr=False)
    answer: HeldBody | None = None
    late: bool = False


class Wiretap:
    """One per emulator; the office tells it. `life` grows with every reset."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._model = world.model
        self._held: OrderedDict[int, Exchange] = OrderedDict()
        self._life = 1
        self._revision = 0
        self.listeners: set[Callable[[], None]] = set()

    @property
    def life(self) -> int:
        self._renew()
        return self._life

    @property
    def revision(self) -> int:
        """The newest."""
        self._renew()
        return self._revision

    def began(self, parcel: Parcel, sending: Sending) -> None:
        if not self._is_present(parcel):
            return
        attempt, letter = sending.attempt, sending.letter
        self._put(
            Exchange(
                revision=0,
                push=parcel.push,
                attempt=attempt,
                url=sending.url,
                query=letter.query,
                content_type=letter.content_type,
                sent=HeldBody.of(letter.body),
                message=HeldBody.of(parcel.push.message),
                bench=sending.bench,
            )
        )
        if len(self._held) > EXCHANGES_HELD:
            self._held.popitem(last=False)

    def settled(self, parcel: Parcel, sending: Sending, delivery: Delivery) -> None:
        found = self._held.get(sending.attempt.seq)
        if found is None or not self._is_present(parcel):
            return
        if isinstance(delivery, Delivered):
            found.answer, found.late = HeldBody.of(delivery.body), delivery.late
        self._put(found)

    def ended(self, parcel: Parcel) -> None:
        """The push has come to its end: what the user saw stands now."""
        if not self._is_present(parcel):
            return
        for attempt in parcel.push.attempts:
            if attempt.seq in self._held:
                self._put(self._held[attempt.seq])

    def after(self, revision: int) -> list[Exchange]:
        """What happened since, in the order of it."""
        self._renew()
        newest_first = []
        for each in reversed(self._held.values()):
            if each.revision <= revision:
                break
            newest_first.append(each)
        return newest_first[::-1]

    def _put(self, exchange: Exchange) -> None:
        self._revision += 1
        exchange.revision = self._revision
        self._held[exchange.attempt.seq] = exchange
        self._held.move_to_end(exchange.attempt.seq)
        for listener in list(self.listeners):
            listener()

    def _is_present(self, parcel: Parcel) -> bool:
        """Whether it belongs to the world that there is now, and not to one before a reset."""
        self._renew()
        return parcel.desk.platform is self._model.platform

    def _renew(self) -> None:
        if self._model is not self._world.model:
            self._model = self._world.model
            self._held.clear()
            self._life += 1
            self._revision = 0
