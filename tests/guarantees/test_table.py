"""The table of guarantees is read as written, and what it lacks is told by line."""

from __future__ import annotations

import pytest

from tests.guarantees.table import Row, TableError, not_run, parse, unproven

HEADER = "| id | guarantee | proof |\n| --- | --- | --- |\n"
PROOF = "tests/a/test_b.py::test_c"


def row(*proofs: str, line: int = 3, row_id: str = "G1") -> Row:
    return Row(line, row_id, "a promise", proofs)


def test_a_row_gives_its_line_its_words_and_every_node_id() -> None:
    text = f"{HEADER}| G1 | a promise | `{PROOF}` and `{PROOF}[x-y]`; `drain` comes later |\n"

    assert parse(text) == [row(PROOF, f"{PROOF}[x-y]")]


def test_a_table_without_rows_is_a_table() -> None:
    assert parse(f"# Title\n\nWords.\n\n{HEADER}") == []


def test_several_tables_are_read_and_other_tables_are_not() -> None:
    other = "\n\n| a | b |\n| - | - |\n| c | d |\n\n"
    text = f"{HEADER}| G1 | one | x |{other}{HEADER}| C1 | two | y |\n"

    assert [row.id for row in parse(text)] == ["G1", "C1"]


def test_an_escaped_bar_does_not_end_a_cell() -> None:
    [only] = parse(f"{HEADER}| G1 | a \\| b | x |\n")

    assert only.guarantee == r"a \| b"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("# Nothing here\n", "no table", id="a document without the table"),
        pytest.param(f"{HEADER}| G1 | x |\n", "line 3: 2 cells", id="a row with a cell too few"),
    ],
)
def test_an_unreadable_document_is_refused(text: str, told: str) -> None:
    with pytest.raises(TableError, match=told):
        parse(text)


@pytest.mark.parametrize(
    ("proof", "collected"),
    [
        pytest.param(PROOF, PROOF, id="a plain test"),
        pytest.param(PROOF, f"{PROOF}[redis]", id="all cases, by the name without brackets"),
        pytest.param(f"{PROOF}[redis]", f"{PROOF}[redis]", id="one case"),
    ],
)
def test_a_collected_proof_is_accepted(proof: str, collected: str) -> None:
    assert list(unproven([row(proof)], [collected])) == []


def test_a_row_without_a_test_is_told() -> None:
    assert list(unproven([row()], [PROOF])) == ["line 3: G1 names no test"]


def test_a_proof_that_was_not_collected_is_told() -> None:
    [told] = unproven([row(f"{PROOF}[sqlite]")], [f"{PROOF}[redis]"])

    assert told == f"line 3: G1 names {PROOF}[sqlite], which was not collected"


def test_an_id_that_stands_twice_is_told() -> None:
    [told] = unproven([row(PROOF), row(PROOF, line=4)], [PROOF])

    assert told == "line 4: G1 stands already on line 3"


def test_a_proof_that_ran_is_accepted_whether_it_passed_or_failed() -> None:
    outcomes = {f"{PROOF}[a]": "passed", f"{PROOF}[b]": "failed"}

    assert list(not_run([row(PROOF)], outcomes)) == []


def test_a_proof_with_a_skipped_case_is_told() -> None:
    outcomes = {f"{PROOF}[memory]": "passed", f"{PROOF}[redis]": "skipped"}

    [told] = not_run([row(PROOF)], outcomes)

    assert told == f"line 3: {PROOF}[redis], the proof of G1, was skipped"


def test_a_proof_that_was_left_out_is_told() -> None:
    [told] = not_run([row(PROOF)], {})

    assert told == f"line 3: {PROOF}, the proof of G1, was left out"
