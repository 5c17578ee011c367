"""The description of the native API at `/openapi.json`; the text is in the data file."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

OPENAPI: Final[dict[str, Any]] = json.loads(
    files("token_service").joinpath("openapi.json").read_text(encoding="utf-8")
)
