"""`callback-gateway status`: asks a running gateway for its status, and shows it to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callback_gateway.status_form import Ours, Status
from zhongkong.runtime.admin import STATUS_PATH
from zhongkong.runtime.tables import printer, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from callback_gateway.status_form import Target
    from zhongkong.runtime.asking import Asker


def show_status(gateway: Asker, *, as_json: bool) -> None:
    """Print the document, or tables with what needs attention below them.

    Blocking for seconds. Raises ConfigError, NotReached.
    """
    answer, console = gateway.ask("GET", STATUS_PATH), printer(as_json=as_json)
    if as_json:
        answer.read(Ours)
        console.print_json(data=answer.document)
        return
    status = answer.read(Status)
    console.print(_accounts(status))
    console.print(_targets(status))
    for line in (_stores(status), *_attention(status)):
        console.print(line, markup=False, soft_wrap=True)


def _accounts(status: Status) -> Table:
    title = f"{status.replica}: {'ready' if status.ready else 'not ready'}"
    rows = table(
        *("Account", "Mode", "Answered", "Retries", "Joins", "Refused", "Old token, key"),
        title=title,
        wrapped=("Old token, key",),
    )
    for account in status.accounts:
        old_token = _old(account.tokens, account.old_token_used_at)
        old_key = _old(account.aes_keys, account.old_aes_key_used_at)
        rows.add_row(
            account.account,
            account.mode,
            _counts(account.answered),
            str(account.retries),
            str(account.joins),
            _counts(account.refused),
            f"{old_token}\n{old_key}",
        )
    return rows


def _targets(status: Status) -> Table:
    rows = table("Target", "State", "Waiting", "Under way", "Oldest due", "Dead letters")
    for target in status.targets:
        oldest = target.oldest_due_s
        rows.add_row(
            target.target,
            _state(target),
            _number(target.waiting),
            _number(target.leased),
            "-" if not oldest else f"{oldest:g} s",
            _number(target.dead),
        )
    return rows


def _stores(status: Status) -> str:
    store, inbox = status.store, status.inbox
    held = "?" if inbox is None else f"{inbox.events} of {inbox.limit} events"
    return f"store {store.address}: {held}, durability {store.durability}"


def _attention(status: Status) -> Iterator[str]:
    yield from _store_troubles(status)
    for account in status.accounts:
        skew = account.clock_skew_s
        if skew is not None:
            yield f"{account.account}: a callback's clock was {skew:+.0f} s from ours"
    for target in status.targets:
        if target.disabled:
            yield (
                f"target {target.target} answered 410 and gets no more; "
                f"`callback-gateway targets enable {target.target}`"
            )
    config = status.config
    for line in (*config.refused_because, *config.unusable_secrets, *config.notices):
        yield f"config: {line}"
    for task, error in status.failing_tasks.items():
        yield f"task {task} keeps failing: {error}; the log has the traceback"


def _store_troubles(status: Status) -> Iterator[str]:
    store, spool = status.store, status.spool
    if not store.reachable:
        yield f"store {store.address} can't be reached"
    if not store.keeps_durability:
        yield f"store {store.address} can't keep what durability {store.durability} promises"
    if spool is not None and spool.events:
        yield f"{spool.events} callbacks wait in {spool.address} for the store"
    if status.unreadable_events:
        yield (
            f"{status.unreadable_events} genuine callbacks could not be read; "
            "`callback-gateway dead-letters list --target -`"
        )


def _state(target: Target) -> str:
    if not target.configured:
        return "[red]not configured"
    return "[red]disabled" if target.disabled else "[green]enabled"


def _counts(counts: dict[str, int]) -> str:
    return "\n".join(f"{name} {count}" for name, count in counts.items()) or "-"


def _old(how_many: int, used_at: str | None) -> str:
    """When the previous one was used last, where there is one."""
    return "-" if how_many < 2 else used_at or "not used"


def _number(count: int | None) -> str:
    return "?" if count is None else str(count)
