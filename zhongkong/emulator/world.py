"""One emulated world: the model, the time it lives in, and how to begin it anew."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from zhongkong.emulator.account import EmulatedAccount
from zhongkong.emulator.model import WeChatModel
from zhongkong.emulator.parameters import Parameters

if TYPE_CHECKING:
    from zhongkong.emulator.faults import Fault
    from zhongkong.runtime.clock import Clock

_FURTHEST_S: Final = 10 * 365 * 86_400
DEFAULT_ACCOUNT: Final = EmulatedAccount(
    appid="wx0123456789abcdef", secret="0123456789abcdef0123456789abcdef"
)


class EmulatedTime:
    """WeChat's wall clock: the machine's, shifted or stopped. Waits are the machine's own."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._frozen_at: float | None = None
        self.offset_s = 0.0

    @property
    def frozen(self) -> bool:
        return self._frozen_at is not None

    def now(self) -> float:
        return (self._clock.now() if self._frozen_at is None else self._frozen_at) + self.offset_s

    def monotonic(self) -> float:
        """The machine's, for deadlines: no shift or freeze touches it."""
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Jump by so much, back if negative. Raises ValueError beyond ten years."""
        self.shift(self.offset_s + seconds)

    def shift(self, offset_s: float) -> None:
        """Stand so far from the machine's clock (or from the moment of the freeze)."""
        if not math.isfinite(offset_s) or abs(offset_s) > _FURTHEST_S:
            raise ValueError("the clock may stand at most ten years from the machine's")
        self.offset_s = offset_s

    def freeze(self) -> None:
        """Stop; `advance` still moves it. Repeating it changes nothing."""
        if self._frozen_at is None:
            self._frozen_at = self._clock.now()

    def thaw(self) -> None:
        """Go on from the machine's clock plus the offset."""
        self._frozen_at = None

    def reset(self) -> None:
        self.thaw()
        self.offset_s = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How a world begins."""

    accounts: tuple[EmulatedAccount, ...] = (DEFAULT_ACCOUNT,)
    parameters: Parameters = field(default_factory=Parameters)
    faults: tuple[Fault, ...] = ()
    seed: int | None = None


class World:
    """Owns the model, and replaces it on a reset."""

    def __init__(self, setup: Setup, clock: Clock, *, seed: int) -> None:
        """`seed` applies where the setup has none."""
        self._setup = setup
        self._seed = seed if setup.seed is None else setup.seed
        self.time = EmulatedTime(clock)
        self.model = self._begin()

    def reset(self) -> None:
        """Begin anew: time, accounts, faults, ledger. Tokens of before are unknown afterwards."""
        self.time.reset()
        self._seed += 1
        self.model = self._begin()

    def _begin(self) -> WeChatModel:
        model = WeChatModel(self._setup.accounts, self._setup.parameters, self._seed)
        for fault in self._setup.faults:
            model.faults.add(fault)
        return model
