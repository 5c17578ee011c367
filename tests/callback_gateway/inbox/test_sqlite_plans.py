"""Every statement finds its rows by an index: the inbox is as quick when it is full."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from callback_gateway.inbox import (
    sqlite_arrivals as arriving,
    sqlite_deliveries as delivering,
    sqlite_letters as dead,
    sqlite_schema as schema,
    sqlite_upkeep as upkeep,
)
from callback_gateway.inbox.records import Dead, Done, Keeping, Retry, Selection, Settlement, Stamp
from tests.callback_gateway.inbox.samples import AUDIT, CRM, SHOP, TRADING, notify, question, unread
from zhongkong.runtime.sqlite_file import connect

SMALL = ("deliveries_leased", "targets", "disabled", "meta", "json_each")
"""As many rows as leases, as targets, one, or as many as ids were given."""
NAME = "us/1"
LIMIT = 100_000
NOW = 1_000_000.0
Step = Callable[[sqlite3.Connection], object]


@pytest.fixture
def connection(tmp_path: Path) -> sqlite3.Connection:
    """To a file with some of everything in it."""
    connection = connect(tmp_path / "inbox.db", schema.SCHEMA, "NORMAL")
    arrivals = [replace(notify(f"msg_{n}", AUDIT, CRM), replier=TRADING) for n in range(30)]
    stamped = [replace(each, stamp=Stamp(each.event_id, "body")) for each in arrivals]
    arriving.accept(connection, [*stamped, unread()], NAME, LIMIT, NOW)
    leased = delivering.lease(connection, {CRM: 10}, NAME, NOW)
    delivering.settle(connection, [Settlement(each, Dead("exhausted")) for each in leased], NOW)
    return connection


def scans(connection: sqlite3.Connection, step: Step) -> list[str]:
    """The parts of plans in which `step` looks through a table that grows."""
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    connection.execute("BEGIN")
    step(connection)
    connection.execute("ROLLBACK")
    connection.set_trace_callback(None)
    assert len(statements) > 2
    plans = [
        row[3]
        for statement in statements
        if not statement.startswith(("BEGIN", "ROLLBACK", "--"))
        for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]
    return [
        detail for detail in plans if "SCAN" in detail and not any(name in detail for name in SMALL)
    ]


def settled(result: Done | Retry | Dead) -> Step:
    def step(connection: sqlite3.Connection) -> None:
        leased = delivering.lease(connection, {AUDIT: 3}, NAME, NOW)
        assert len(leased) == 3
        delivering.renew(connection, leased, NOW)
        delivering.settle(connection, [Settlement(each, result) for each in leased], NOW)

    return step


def selected(selection: Selection) -> Step:
    def step(connection: sqlite3.Connection) -> None:
        assert dead.page(connection, selection, 0, 3).letters
        assert dead.redrive(connection, selection, 3, NOW)
        assert dead.drop(connection, selection, 3)

    return step


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(
            lambda file: arriving.accept(
                file,
                [
                    replace(question("msg_n"), notify=(AUDIT,), stamp=Stamp("n", "b")),
                    notify("msg_1"),
                ],
                NAME,
                LIMIT,
                NOW + 60,
            ),
            id="accept",
        ),
        pytest.param(
            lambda file: arriving.join(file, SHOP, "msg_1", NAME, NOW + 60), id="join a lapsed one"
        ),
        pytest.param(settled(Done()), id="lease, renew, done"),
        pytest.param(settled(Retry(1.0)), id="lease, renew, retry"),
        pytest.param(settled(Dead("exhausted")), id="lease, renew, dead"),
        pytest.param(lambda file: delivering.next_due_in(file, [AUDIT, CRM], NOW), id="next_due"),
        pytest.param(lambda file: delivering.hasten(file, AUDIT, NOW), id="hasten"),
        pytest.param(lambda file: upkeep.purge(file, Keeping(), 1000, 2 * NOW), id="purge"),
        pytest.param(lambda file: upkeep.depth(file, LIMIT, NOW), id="depth"),
        pytest.param(lambda file: schema.void_leases(file, NOW), id="open"),
        pytest.param(selected(Selection(target=CRM)), id="letters of a target"),
        pytest.param(selected(Selection(account=SHOP)), id="letters of an account"),
        pytest.param(
            selected(Selection(ids=tuple(f"msg_{n}.crm" for n in range(9)))), id="letters by id"
        ),
    ],
)
def test_no_statement_looks_through_a_table(connection: sqlite3.Connection, step: Step) -> None:
    assert scans(connection, step) == []


def test_a_statement_without_an_index_would_be_noticed(connection: sqlite3.Connection) -> None:
    def step(file: sqlite3.Connection) -> None:
        file.execute("SELECT count(*) FROM deliveries WHERE failures > 3")

    assert scans(connection, step) == ["SCAN deliveries"]
