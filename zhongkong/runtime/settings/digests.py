"""SHA-256 digests of keys, which stand in a configuration instead of the keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from zhongkong.runtime.settings.errors import KeyPath, bad_secret

_HEX = re.compile("[0-9a-fA-F]{64}")


class _Sha256Type:
    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_validate)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{_HEX.pattern}$"}


def _validate(value: Any) -> str:
    if isinstance(value, str) and _HEX.fullmatch(value):
        return value.lower()
    # What stands here by mistake is often the key itself, so it is not printed.
    raise bad_secret("must be the SHA-256 of the key, 64 hexadecimal digits, not the key itself")


Sha256Hex = Annotated[str, _Sha256Type()]
"""64 hexadecimal digits, lower-cased."""


def one_key_for_both(admin: str | None, metrics: str | None) -> Iterator[tuple[KeyPath, str]]:
    """What is wrong with a metrics key that is the admin key: who scrapes could change things."""
    if metrics is not None and metrics == admin:
        yield (
            ("metrics_key_sha256",),
            "is that of the admin key: give the metrics a key of their own, which opens no more",
        )
