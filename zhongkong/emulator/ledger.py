"""The oracle of the tests: what was issued, what died when, what was used dead or alive.

The ledger only listens. Entries are plain values in the order in which they happened, each with a
sequence number that never repeats; `mark()` and `after=` cut out what a test did itself. Memory is
bounded: old entries fall out, the counters stay exact (after 20,000 kinds of calls, further
unknown paths share one counter).
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from zhongkong.emulator.entries import Entry, RequestSeen, TokenDied, TokenIssued, TokenUsed
from zhongkong.emulator.sightings import Sightings
from zhongkong.wechat.limits import TOKEN_CAPACITY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zhongkong.emulator.families import FamilyName, Generation, Minter

_ENTRIES_HELD: Final = 100_000
_LIVES_HELD: Final = 100_000
_COUNTERS_HELD: Final = 20_000
PATH_SHOWN: Final = 300
OTHER_PATHS: Final = "(other paths)"


@dataclass(slots=True)
class _Life:
    issued_at: float
    ends_at: float
    made_with: str | None


@dataclass(slots=True)
class Ledger:
    """Append-only for the model, read-only for everybody else."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=_ENTRIES_HELD))
    sightings: Sightings = field(default_factory=Sightings)
    _seq: int = 0
    _lives: OrderedDict[str, _Life] = field(default_factory=OrderedDict)
    mint_counts: Counter[tuple[str, FamilyName, Minter]] = field(default_factory=Counter)
    call_counts: Counter[tuple[str | None, str, int | None]] = field(default_factory=Counter)
    _dead_uses: Counter[str] = field(default_factory=Counter)

    # ------------------------------------------------------------------ questions

    def mark(self) -> int:
        """The last sequence number given. Entries that follow have a higher one."""
        return self._seq

    @property
    def secrets_seen(self) -> dict[str, int]:
        """Every key-like text that requests held, in any field, and how often."""
        return {text: each.count for text, each in self.sightings.seen.items()}

    def alive(self, value: str, now: float) -> bool:
        """True when WeChat would take this token or ticket at `now`. Unknown values are dead."""
        life = self._lives.get(value)
        if life is None or not life.issued_at <= now < life.ends_at:
            return False
        return life.made_with is None or self.alive(life.made_with, now)

    def ends_at(self, value: str) -> float | None:
        """When it dies or died, as far as is settled by now; None for a value never issued."""
        life = self._lives.get(value)
        return None if life is None else life.ends_at

    def issued(
        self, appid: str | None = None, family: FamilyName | None = None, *, after: int = 0
    ) -> list[TokenIssued]:
        return [
            each
            for each in self.since(after)
            if isinstance(each, TokenIssued)
            and appid in {None, each.appid}
            and family in {None, each.family}
        ]

    def mints(
        self,
        appid: str | None = None,
        family: FamilyName | None = None,
        by: Minter | None = None,
    ) -> int:
        """How many credentials were made since the start; exact however long ago."""
        return sum(
            count
            for (of, kind, minter), count in self.mint_counts.items()
            if appid in {None, of} and family in {None, kind} and by in {None, minter}
        )

    def calls(self, path: str | None = None, appid: str | None = None) -> int:
        """How many requests arrived since the start, struck by faults or not; exact."""
        return sum(
            count
            for (of, where, _), count in self.call_counts.items()
            if path in {None, where} and appid in {None, of}
        )

    def refusals(self, errcode: int, path: str | None = None) -> int:
        """How many answers carried this code; exact."""
        return sum(
            count
            for (_, where, code), count in self.call_counts.items()
            if code == errcode and path in {None, where}
        )

    def dead_uses(self, appid: str | None = None) -> int:
        """Business calls made with a token that was issued and had ended; exact."""
        return self._dead_uses.total() if appid is None else self._dead_uses[appid]

    def deaths(self, appid: str | None = None, *, after: int = 0) -> list[TokenDied]:
        return [
            each
            for each in self.since(after)
            if isinstance(each, TokenDied) and appid in {None, each.appid}
        ]

    def uses(self, value: str | None = None, *, after: int = 0) -> list[TokenUsed]:
        return [
            each
            for each in self.since(after)
            if isinstance(each, TokenUsed) and value in {None, each.value}
        ]

    def requests(self, path: str | None = None, *, after: int = 0) -> list[RequestSeen]:
        return [
            each
            for each in self.since(after)
            if isinstance(each, RequestSeen) and path in {None, each.path}
        ]

    def since(self, after: int) -> Iterable[Entry]:
        """The entries with a sequence number above `after`, oldest first."""
        if after <= 0:
            return list(self.entries)
        newest_first = []
        for each in reversed(self.entries):
            if each.seq <= after:
                break
            newest_first.append(each)
        return newest_first[::-1]

    # ------------------------------------------------------------------ what the model reports

    def token_issued(self, generation: Generation, by: Minter) -> None:
        made_with = generation.made_with.value if generation.made_with else None
        self._lives[generation.value] = _Life(generation.issued_at, generation.ends_at, made_with)
        if len(self._lives) > _LIVES_HELD:
            self._lives.popitem(last=False)
        self.mint_counts[generation.appid, generation.family, by] += 1
        self.entries.append(
            TokenIssued(
                seq=self.next_seq(),
                at=generation.issued_at,
                appid=generation.appid,
                family=generation.family,
                value=generation.value,
                expires_at=generation.expires_at,
                by=by,
            )
        )

    def token_ended(self, generation: Generation, now: float) -> None:
        life = self._lives.get(generation.value)
        if life is not None:
            life.ends_at = generation.ends_at
        self.entries.append(
            TokenDied(
                seq=self.next_seq(),
                at=now,
                appid=generation.appid,
                family=generation.family,
                value=generation.value,
                ends_at=generation.ends_at,
                cause=generation.cause,
            )
        )

    def token_used(
        self, value: str, appid: str | None, path: str, *, now: float, alive: bool, errcode: int
    ) -> None:
        if appid is not None and not alive:
            self._dead_uses[appid] += 1
        self.entries.append(
            TokenUsed(
                seq=self.next_seq(),
                at=now,
                value=value[:TOKEN_CAPACITY],
                appid=appid,
                path=path[:PATH_SHOWN],
                alive=alive,
                errcode=errcode,
            )
        )

    def request_seen(self, entry: RequestSeen) -> None:
        """`entry.seq` comes from `next_seq`."""
        key = (entry.appid, entry.path, entry.errcode)
        if key not in self.call_counts and len(self.call_counts) >= _COUNTERS_HELD:
            key = (None, OTHER_PATHS, entry.errcode)
        self.call_counts[key] += 1
        self.entries.append(entry)

    def next_seq(self) -> int:
        self._seq += 1
        return self._seq
