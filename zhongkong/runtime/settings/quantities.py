"""Durations and sizes, which are never written without their unit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from zhongkong.runtime.settings.errors import bad_value

_SECONDS: Mapping[str, float] = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_BYTES: Mapping[str, int] = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_NUMBER = r"([0-9]{1,12}(?:\.[0-9]{1,9})?)"


@dataclass(frozen=True, slots=True)
class _Unit:
    """How one kind of quantity is written."""

    name: str
    units: Mapping[str, float]
    examples: str

    def pattern(self) -> str:
        return f"{_NUMBER}({'|'.join(self.units)})"

    def parse(self, text: object) -> float:
        """Raises ValueError whose message says what would be right, without the text itself."""
        match = re.fullmatch(self.pattern(), text) if isinstance(text, str) else None
        if match is None:
            raise ValueError(f"is not a {self.name}: write a number with its unit, {self.examples}")
        number, unit = match.groups()
        # Dividing keeps 300ms at 0.3, where multiplying by 0.001 gives 0.30000000000000004.
        factor = self.units[unit]
        return float(number) / round(1 / factor) if factor < 1 else float(number) * factor

    def format(self, value: float) -> str:
        for unit, factor in reversed(list(self.units.items())):
            if value >= factor and value / factor == int(value / factor):
                return f"{int(value / factor)}{unit}"
        first = next(iter(self.units))
        return f"{value / self.units[first]:.9g}{first}" if value else f"0{first}"


_DURATION = _Unit("duration", _SECONDS, "as 250ms, 4s, 5m or 2h")
_SIZE = _Unit("size", _BYTES, "as 512B, 256KiB, 64MiB or 1GiB")


def parse_duration(text: str) -> float:
    """Seconds of `250ms`, `4s`, `5m`, `2h`. Raises ValueError."""
    return _DURATION.parse(text)


def format_duration(seconds: float) -> str:
    """The shortest spelling that `parse_duration` reads back, as `5m` for 300.0."""
    return _DURATION.format(seconds)


def parse_size(text: str) -> int:
    """Bytes of `512B`, `256KiB`, `64MiB`, `1GiB`. Raises ValueError."""
    return _whole_bytes(_SIZE.parse(text))


def format_size(size: int) -> str:
    """As `64MiB` for 67108864."""
    return _SIZE.format(size)


def _whole_bytes(value: float) -> int:
    if value != int(value):
        raise ValueError("is not a whole number of bytes")
    return int(value)


@dataclass(frozen=True, slots=True)
class _QuantityType:
    """Reads the text in files; Python code gives the number itself."""

    unit: _Unit
    convert: Callable[[float], float]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            self._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                self.unit.format, when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "type": "string",
            "pattern": f"^{self.unit.pattern()}$",
            "description": f"A {self.unit.name}, {self.unit.examples}",
        }

    def _validate(self, value: Any, info: core_schema.ValidationInfo) -> float:
        given = isinstance(value, int | float) and not isinstance(value, bool)
        try:
            return self.convert(
                value if given and info.mode == "python" else self.unit.parse(value)
            )
        except ValueError as error:
            raise bad_value(str(error)) from None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits for an annotated Duration or ByteSize, as `Annotated[Duration, Bounds("1s", "1h")]`.

    Both ends are allowed values; None leaves that side open.
    """

    at_least: str | None = None
    at_most: str | None = None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: float) -> float:
        if self.at_least is not None and value < self._number(self.at_least):
            raise bad_value(f"is too small: write at least {self.at_least}")
        if self.at_most is not None and value > self._number(self.at_most):
            raise bad_value(f"is too large: write at most {self.at_most}")
        return value

    @staticmethod
    def _number(text: str) -> float:
        return (_SIZE if text.endswith("B") else _DURATION).parse(text)


Duration = Annotated[float, _QuantityType(_DURATION, float)]
"""Seconds as float; written `250ms`, `4s`, `5m`, `2h`."""

ByteSize = Annotated[int, _QuantityType(_SIZE, _whole_bytes)]
"""Bytes as int; written `512B`, `256KiB`, `64MiB`, `1GiB`."""
