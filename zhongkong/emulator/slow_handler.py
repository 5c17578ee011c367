"""An account's message handler that can be made slow: where it is told, and what it was told. Pure.

The handler itself is a program of the account's owner; the control calls that reach it are in
control_handler_delay.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from zhongkong.emulator.callbacks.configuration import is_web_address

LONGEST_DELAY_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowHandlerSettings:
    """`url` takes `PUT {"delay_s": N}` and answers 2xx; each answer then takes that long."""

    url: str

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if not is_web_address(self.url):
            raise ValueError("url begins with http:// or https:// and names a host")


@dataclass(slots=True)
class SlowHandler:
    """`delay_s` is what the handler was told last: nothing asks it what holds there."""

    url: str
    delay_s: float = 0.0

    @classmethod
    def begin(cls, settings: SlowHandlerSettings | None) -> SlowHandler | None:
        return None if settings is None else cls(settings.url)
