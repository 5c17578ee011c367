"""Reads the table of docs/guarantees.md and judges it against what a test run saw.

Pure: text and plain collections in, sentences out. When to judge is the plugin's affair.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

HEADER = ("id", "guarantee", "proof")
CELL_END = re.compile(r"(?<!\\)\|")
QUOTED = re.compile(r"`(tests/[^`]*)`")


@dataclass(frozen=True)
class Row:
    """One promise; `proofs` are node ids as they are written, with or without a case."""

    line: int
    id: str
    guarantee: str
    proofs: tuple[str, ...]


class TableError(ValueError):
    """The document holds no table that can be read; the message names the line."""


def parse(text: str) -> list[Row]:
    """Return the rows of every table headed `id | guarantee | proof`; raises TableError."""
    rows: list[Row] = []
    tables = 0
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        cells = _cells(line)
        if cells is None:
            inside = False
        elif tuple(cell.lower() for cell in cells) == HEADER:
            inside = True
            tables += 1
        elif inside and not _is_rule(cells):
            rows.append(_row(number, cells))
    if not tables:
        message = f"no table headed {' | '.join(HEADER)}"
        raise TableError(message)
    return rows


def unproven(rows: Iterable[Row], collected: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each row whose proof is missing from the collected node ids."""
    names = {_without_case(node_id) for node_id in collected} | set(collected)
    first_lines: dict[str, int] = {}
    for row in rows:
        first = first_lines.setdefault(row.id, row.line)
        if first != row.line:
            yield f"line {row.line}: {row.id} stands already on line {first}"
        if not row.proofs:
            yield f"line {row.line}: {row.id} names no test"
        for proof in row.proofs:
            if proof not in names:
                yield f"line {row.line}: {row.id} names {proof}, which was not collected"


def not_run(rows: Iterable[Row], outcomes: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each proof, or case of one, that did not run to its end.

    `outcomes` maps the node ids that were run to `passed`, `failed` or `skipped`. Failures are
    not told: the run tells them itself.
    """
    for row in rows:
        for proof in row.proofs:
            cases = {
                node_id: outcome
                for node_id, outcome in outcomes.items()
                if proof in (node_id, _without_case(node_id))
            }
            if not cases:
                yield f"line {row.line}: {proof}, the proof of {row.id}, was left out"
            for node_id, outcome in cases.items():
                if outcome == "skipped":
                    yield f"line {row.line}: {node_id}, the proof of {row.id}, was skipped"


def _cells(line: str) -> list[str] | None:
    stripped = line.strip()
    if not stripped.startswith("|"):
        return None
    inner = stripped[1:]
    if inner.endswith("|") and not inner.endswith(r"\|"):
        inner = inner[:-1]
    return [cell.strip() for cell in CELL_END.split(inner)]


def _is_rule(cells: list[str]) -> bool:
    return all(re.fullmatch(r":?-+:?", cell) for cell in cells)


def _row(number: int, cells: list[str]) -> Row:
    if len(cells) != len(HEADER):
        message = f"line {number}: {len(cells)} cells instead of {len(HEADER)} (write | as \\|)"
        raise TableError(message)
    row_id, guarantee, proof = cells
    return Row(number, row_id, guarantee, tuple(QUOTED.findall(proof)))


def _without_case(node_id: str) -> str:
    return node_id.partition("[")[0]
