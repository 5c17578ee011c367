"""All pushes and their tries, for whoever wants to reconcile them. Bounded; counters stay exact."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zhongkong.emulator.callbacks.records import Attempt, Outcome, PushRecord


@dataclass(slots=True)
class PushBook:
    """Oldest first. What falls out is counted in the two `forgotten`."""

    pushes: OrderedDict[str, PushRecord] = field(default_factory=OrderedDict)
    attempts: deque[Attempt] = field(default_factory=deque)
    forgotten_pushes: int = 0
    forgotten_attempts: int = 0
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    outcomes: Counter[tuple[str, Outcome]] = field(default_factory=Counter)
    _last_id: int = 0
    _last_msg_id: int = 0

    def next_id(self) -> str:
        self._last_id += 1
        return f"p{self._last_id}"

    def next_msg_id(self, now: float) -> int:
        """64 bits that grow, as WeChat's do."""
        self._last_msg_id = max(self._last_msg_id + 1, int(now * 1000) << 20)
        return self._last_msg_id

    def keep(self, push: PushRecord, at_most: int) -> None:
        self.pushes[push.id] = push
        while len(self.pushes) > at_most:
            self.pushes.popitem(last=False)
            self.forgotten_pushes += 1

    def sent(self, attempt: Attempt, at_most: int) -> None:
        self.attempts.append(attempt)
        while len(self.attempts) > at_most:
            self.attempts.popleft()
            self.forgotten_attempts += 1

    def settled(self, attempt: Attempt) -> None:
        self.answers[attempt.appid, str(attempt.answer)] += 1

    def ended(self, push: PushRecord) -> None:
        self.outcomes[push.appid, push.outcome] += 1

    def attempts_after(self, seq: int) -> list[Attempt]:
        """Those with a higher sequence number, oldest first."""
        if seq <= 0:
            return list(self.attempts)
        newest_first = []
        for each in reversed(self.attempts):
            if each.seq <= seq:
                break
            newest_first.append(each)
        return newest_first[::-1]

    def pushes_after(self, seq: int) -> list[PushRecord]:
        """Those with a higher sequence number, oldest first."""
        newest_first = []
        for each in reversed(self.pushes.values()):
            if each.seq <= seq:
                break
            newest_first.append(each)
        return newest_first[::-1]
