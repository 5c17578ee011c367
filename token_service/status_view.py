"""`token-service status`: asks a running service for its status, and shows it to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from token_service.status_form import Ours, Status
from zhongkong.runtime.admin import STATUS_PATH
from zhongkong.runtime.tables import printer, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from token_service.status_form import Failure, Refusal
    from zhongkong.runtime.asking import Asker


def show_status(service: Asker, *, as_json: bool) -> None:
    """Print the document, or a table with what needs attention below it.

    Blocking for seconds. Raises ConfigError, NotReached.
    """
    answer, console = service.ask("GET", STATUS_PATH), printer(as_json=as_json)
    if as_json:
        answer.read(Ours)
        console.print_json(data=answer.document)
        return
    status = answer.read(Status)
    console.print(_table(status))
    for line in _attention(status):
        console.print(line, markup=False, soft_wrap=True)


def _table(status: Status) -> Table:
    title = f"{status.replica}: {'ready' if status.ready else 'not ready'}"
    rows = table(
        *("Account", "Kind", "Mode", "Live", "Expires in", "Calls today", "Alarms"), title=title
    )
    for token in status.tokens:
        calls = [f"{call} {of.spent}/{of.limit}" for call, of in token.budget.items()]
        rows.add_row(
            token.account,
            token.kind,
            token.mode,
            "[green]yes" if token.live else "[red]no",
            _span(token.expires_in) if token.live else "-",
            "\n".join(calls),
            "\n".join(token.alarms) or "-",
        )
    return rows


def _attention(status: Status) -> Iterator[str]:
    store, frozen = status.store, status.store.frozen
    if not store.reachable:
        yield f"store {store.address} can't be reached; live tokens are still handed out"
    if frozen is not None:
        yield (
            f"store {store.address} is frozen, {frozen.way.words} {frozen.other} "
            f"since {frozen.since}: nothing is fetched from WeChat. Do: {frozen.remedy}"
        )
    for token in status.tokens:
        if token.failure is not None:
            yield f"{token.account}: {_failed(token.failure)}"
        for refusal in token.refused_addresses:
            yield f"{token.account}: {_refused(refusal)}"
    config = status.config
    for line in (*config.refused_because, *config.unreadable_secrets, *config.notices):
        yield f"config: {line}"
    for task, error in status.failing_tasks.items():
        yield f"task {task} keeps failing: {error}; the log has the traceback"


def _failed(failure: Failure) -> str:
    told = not failure.remedy or failure.remedy in failure.detail
    remedy = "" if told else f" Do: {failure.remedy}"
    return f"{failure.detail}{_code(failure.errcode)}; tried again at {failure.retry_at}.{remedy}"


def _refused(refusal: Refusal) -> str:
    what = f"address {refusal.address or 'unknown'} is refused{_code(refusal.errcode)}"
    remedy = f" Do: {refusal.remedy}" if refusal.remedy else ""
    return f"{what}; tried again at {refusal.until}.{remedy}"


def _code(errcode: int | None) -> str:
    return "" if errcode is None else f" (errcode {errcode})"


def _span(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest:02d} s"
