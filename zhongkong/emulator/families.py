"""How credentials of one family replace and kill one another (rules E1 to E8).

A family is the classic tokens of an account, its stable ones, or one kind of ticket; families never
touch each other. Pure state: every method takes `now` and the parameters in force.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal, Protocol

from zhongkong.emulator.parameters import MOST_GENERATIONS, Parameters

FamilyName = Literal["classic", "stable", "jsapi", "wx_card"]
Minter = Literal["client", "forced", "foreign"]
EndCause = Literal["expired", "superseded", "dropped", "forced", "killed", "secret_reset"]


@dataclass(slots=True, eq=False)
class Generation:
    """One credential. `expires_at` was promised; `ends_at` is when WeChat begins to refuse it."""

    value: str = field(repr=False)
    appid: str
    family: FamilyName
    issued_at: float
    expires_at: float
    ends_at: float
    cause: EndCause = "expired"
    made_with: Generation | None = None

    def alive(self, now: float) -> bool:
        tied = self.made_with is None or self.made_with.alive(now)
        return now < self.ends_at and tied

    def left(self, now: float) -> float:
        """Seconds to the promised end, whether or not it dies sooner."""
        return self.expires_at - now


class Issuer(Protocol):
    """Makes values and hears of every birth and death."""

    def new_value(self, family: FamilyName) -> str: ...
    def lifetime_s(self) -> int: ...
    def issued(self, generation: Generation, by: Minter) -> None: ...
    def ended(self, generation: Generation, now: float) -> None: ...


class TokenFamily:
    """The generations of one family, newest first."""

    def __init__(self, appid: str, name: FamilyName, issuer: Issuer) -> None:
        self._appid = appid
        self._name = name
        self._issuer = issuer
        self._generations: deque[Generation] = deque(maxlen=MOST_GENERATIONS)

    @property
    def current(self) -> Generation | None:
        """The newest one, dead or alive."""
        return self._generations[0] if self._generations else None

    def living(self, now: float) -> list[Generation]:
        return [each for each in self._generations if each.alive(now)]

    def mint(
        self,
        now: float,
        rules: Parameters,
        *,
        by: Minter,
    ) -> Generation:
        """A new current one. The one before gets the overlap, those beyond `generations` die."""
        for age, older in enumerate(self.living(now), start=1):
            if age >= rules.generations:
                self.end(older, now, "dropped")
            elif age == 1:
                self.end(older, now + rules.overlap_s, "superseded", heard_at=now)
        return self._issue(now, self._issuer.lifetime_s(), by, None)

    def mint_forced(self, now: float, rules: Parameters, *, by: Minter) -> Generation:
        """A new current one by force: the older ones end as `forced_old_token` says."""
        replaced = self.current
        generation = self.mint(now, rules, by=by)
        for older in self.living(now)[1:]:
            spared = older is replaced and rules.forced_old_token != "dies_at_once"
            if not spared and rules.forced_old_token != "overlap":
                self.end(older, now, "forced")
        return generation

    def replace(
        self, now: float, *, lifetime_s: int, old_survives: bool, made_with: Generation | None
    ) -> Generation:
        """A new current one by the rules of tickets. `made_with`: it ends with that token."""
        if not old_survives:
            self.end_all(now, "superseded")
        return self._issue(now, lifetime_s, "client", made_with)

    def end(
        self, generation: Generation, at: float, cause: EndCause, *, heard_at: float | None = None
    ) -> None:
        """End it at `at`, which may lie ahead. An end that is nearer already stays."""
        if at >= generation.ends_at:
            return
        generation.ends_at = at
        generation.cause = cause
        self._issuer.ended(generation, at if heard_at is None else heard_at)

    def end_all(self, now: float, cause: EndCause) -> None:
        for generation in self.living(now):
            self.end(generation, now, cause)

    def _issue(
        self, now: float, lifetime_s: int, by: Minter, made_with: Generation | None
    ) -> Generation:
        expires_at = now + lifetime_s
        generation = Generation(
            value=self._issuer.new_value(self._name),
            appid=self._appid,
            family=self._name,
            issued_at=now,
            expires_at=expires_at,
            ends_at=expires_at,
            made_with=made_with,
        )
        self._generations.appendleft(generation)
        self._issuer.issued(generation, by)
        return generation
