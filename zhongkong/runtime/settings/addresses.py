"""Where a listener is bound: `127.0.0.1:8081`, `[::1]:8081`, `localhost:8081`."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from zhongkong.runtime.settings.errors import bad_value

_FORM = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]*)):(?P<port>[0-9]{1,5})")
_MAX_PORT = 65535


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host and a port; port 0 lets the system choose. `host` of an IPv6 address is bare."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: object) -> HostPort:
        """Raises ValueError whose message says what would be right, without the text itself."""
        match = _FORM.fullmatch(text) if isinstance(text, str) else None
        if match is None or int(match["port"]) > _MAX_PORT:
            raise ValueError("is not an address: write HOST:PORT, as 127.0.0.1:8081 or [::1]:8081")
        host = match["v6"] or match["name"]
        if not host:
            # Other programs bind every interface then; nobody should do that without noticing.
            raise ValueError(
                f"names no host: write 127.0.0.1:{match['port']} for this machine alone"
                f" or 0.0.0.0:{match['port']} for every interface"
            )
        if match["v6"] or not re.search("[A-Za-z]", host):
            try:
                ipaddress.ip_address(host)
            except ValueError:
                raise ValueError("does not hold a valid IP address before the port") from None
        return cls(host, int(match["port"]))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "pattern": ":[0-9]{1,5}$", "examples": ["127.0.0.1:8081"]}

    @classmethod
    def _validate(cls, value: Any) -> HostPort:
        if isinstance(value, HostPort):
            return value
        try:
            return cls.parse(value)
        except ValueError as error:
            raise bad_value(str(error)) from None
