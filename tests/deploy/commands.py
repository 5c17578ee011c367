"""Our programs' commands, run to their end in this process: a tenth of the time of a child."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


def run_here(capsys: pytest.CaptureFixture[str], program: str, *words: str) -> Ended:
    """`program` as it is called on a command line; what it says is taken from `capsys`."""
    capsys.readouterr()
    code = import_module(f"{program.replace('-', '_')}.cli").main(list(words))
    said = capsys.readouterr()
    return Ended(code, said.out, said.err)
