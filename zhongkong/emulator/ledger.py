"""The oracle of the tests: what was issued, died, was used dead or alive, was done.

The ledger only listens. Entries are plain values in the order in which they happened, each with a
sequence number that never repeats; `mark()` and `after=` cut out what a test did itself. Memory is
bounded: old entries fall out, the counters stay exact (after 20,000 kinds of calls, further
unknown paths share one counter).
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from zhongkong.emulator.entries import (
    Effect,
    EffectDone,
    Entry,
    RequestSeen,
    TokenDied,
    TokenIssued,
    TokenUsed,
)
from zhongkong.emulator.lives import Lives
from zhongkong.emulator.sightings import Sightings
from zhongkong.wechat.limits import TOKEN_CAPACITY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from zhongkong.emulator.families import FamilyName, Generation, Minter

E = TypeVar("E")

_ENTRIES_HELD: Final = 100_000
_COUNTERS_HELD: Final = 20_000
PATH_SHOWN: Final = 300
OTHER_PATHS: Final = "(other paths)"


@dataclass(slots=True)
class Ledger:
    """Append-only for the model, read-only for everybody else."""

    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=_ENTRIES_HELD))
    sightings: Sightings = field(default_factory=Sightings)
    _seq: int = 0
    _lives: Lives = field(default_factory=Lives)
    mint_counts: Counter[tuple[str, FamilyName, Minter]] = field(default_factory=Counter)
    call_counts: Counter[tuple[str | None, str, int | None]] = field(default_factory=Counter)
    effect_counts: Counter[tuple[str, Effect]] = field(default_factory=Counter)
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
        return self._lives.alive(value, now)

    def ends_at(self, value: str) -> float | None:
        """When it dies or died, as far as is settled by now; None for a value never issued."""
        return self._lives.ends_at(value)

    def issued(
        self, appid: str | None = None, family: FamilyName | None = None, *, after: int = 0
    ) -> list[TokenIssued]:
        return [
            each
            for each in self._of(TokenIssued, after)
            if appid in {None, each.appid} and family in {None, each.family}
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

    def effects(self, effect: Effect, appid: str | None = None) -> int:
        """How often this was carried out since the start, whatever the caller was told; exact."""
        return sum(
            count
            for (of, what), count in self.effect_counts.items()
            if what == effect and appid in {None, of}
        )

    def deaths(self, appid: str | None = None, *, after: int = 0) -> list[TokenDied]:
        return [each for each in self._of(TokenDied, after) if appid in {None, each.appid}]

    def uses(self, value: str | None = None, *, after: int = 0) -> list[TokenUsed]:
        return [each for each in self._of(TokenUsed, after) if value in {None, each.value}]

    def requests(self, path: str | None = None, *, after: int = 0) -> list[RequestSeen]:
        return [each for each in self._of(RequestSeen, after) if path in {None, each.path}]

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

    def _of(self, kind: type[E], after: int) -> list[E]:
        return [each for each in self.since(after) if isinstance(each, kind)]

    # ------------------------------------------------------------------ what the model reports

    def token_issued(self, generation: Generation, by: Minter) -> None:
        self._lives.begin(generation)
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
        self._lives.end(generation)
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

    def effect_done(self, appid: str, effect: Effect, detail: str, now: float) -> None:
        self.effect_counts[appid, effect] += 1
        self.entries.append(
            EffectDone(seq=self.next_seq(), at=now, appid=appid, effect=effect, detail=detail)
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
