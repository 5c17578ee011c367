"""How long each token and ticket lives, as far as is settled. Bounded: the oldest fall out."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zhongkong.emulator.families import Generation

_LIVES_HELD: Final = 100_000


@dataclass(slots=True)
class _Life:
    issued_at: float
    ends_at: float
    made_with: str | None


@dataclass(slots=True)
class Lives:
    """By value."""

    _lives: OrderedDict[str, _Life] = field(default_factory=OrderedDict)

    def begin(self, generation: Generation) -> None:
        made_with = generation.made_with.value if generation.made_with else None
        self._lives[generation.value] = _Life(generation.issued_at, generation.ends_at, made_with)
        if len(self._lives) > _LIVES_HELD:
            self._lives.popitem(last=False)

    def end(self, generation: Generation) -> None:
        life = self._lives.get(generation.value)
        if life is not None:
            life.ends_at = generation.ends_at

    def alive(self, value: str, now: float) -> bool:
        """Unknown values are dead."""
        life = self._lives.get(value)
        if life is None or not life.issued_at <= now < life.ends_at:
            return False
        return life.made_with is None or self.alive(life.made_with, now)

    def ends_at(self, value: str) -> float | None:
        """None for a value never issued."""
        life = self._lives.get(value)
        return None if life is None else life.ends_at
