"""`menu-worker status`: asks a running worker for its status, and shows it to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.markup import escape

from menu_worker.result_words import SWITCHED_OFF
from menu_worker.status_form import Ours, Status
from zhongkong.runtime.admin import STATUS_PATH
from zhongkong.runtime.tables import printer, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from menu_worker.status_form import Account
    from zhongkong.runtime.asking import Asker

_GOOD: Final = ("in_sync", "applied")
_NEARLY_SPENT: Final = 20


def show_status(worker: Asker, *, as_json: bool) -> None:
    """Print the document, or a table with what needs attention below it.

    Blocking for seconds. Raises ConfigError, NotReached.
    """
    answer, console = worker.ask("GET", STATUS_PATH), printer(as_json=as_json)
    if as_json:
        answer.read(Ours)
        console.print_json(data=answer.document)
        return
    status = answer.read(Status)
    console.print(_accounts(status))
    for line in _attention(status):
        console.print(line, markup=False, soft_wrap=True)


def _accounts(status: Status) -> Table:
    ready = "ready" if status.ready else f"not ready: {status.not_ready_because}"
    rows = table(
        *("Account", "State", "Verified", "Applied", "Next pass", "File"),
        title=escape(f"{status.instance}: {ready}"),
        wrapped=("File",),
    )
    for account in status.accounts:
        due_s = account.next_pass_in_s
        rows.add_row(
            account.account,
            _state(account),
            account.verified_at or "-",
            account.applied_at or "-",
            "-" if due_s is None else f"in {due_s:.0f} s",
            escape(account.file or "-"),
        )
    return rows


def _state(account: Account) -> str:
    result = account.result
    if result is None:
        return "[yellow]not looked at yet"
    words = result.replace("_", " ")
    if account.paused_by is not None and result != "paused":
        words += ", paused"
    if account.switched_off:
        words += ", switched off"
    return f"[green]{words}" if result in _GOOD else f"[red]{words}"


def _attention(status: Status) -> Iterator[str]:
    for account in status.accounts:
        for line in _troubles(account):
            yield f"{account.account}: {line}"
    files = status.files
    for violations in files.refused.values():
        yield from violations
    for pattern in files.unmatched:
        yield f"{pattern}: no file is there; the live menu is left as it is"
    for notice in status.config.notices:
        yield f"config: {notice}"
    for task, error in status.failing_tasks.items():
        yield f"task {task} keeps failing: {error}; the log has the traceback"


def _troubles(account: Account) -> Iterator[str]:
    if account.detail is not None and account.result not in _GOOD:
        yield account.detail
    if account.switched_off:
        yield SWITCHED_OFF
    if account.contested:
        yield "somebody keeps changing the live menu; find out who"
    for path, left in account.quota_left.items():
        if left <= _NEARLY_SPENT:
            yield f"{left} calls of {path} are left for today (UTC+8)"
