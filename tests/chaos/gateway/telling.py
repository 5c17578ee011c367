"""Where a test says what it counted: `pytest -rP` shows it, `make chaos PYTEST=-rP` as well."""

from __future__ import annotations


def tell(line: str) -> None:
    print(line)  # noqa: T201 - this is the one place that prints
