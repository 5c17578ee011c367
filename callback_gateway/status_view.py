"""`callback-gateway status`: asks a running gateway for its status, and shows it to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zhongkong.runtime.admin import STATUS_PATH
from zhongkong.runtime.asking import NotReached
from zhongkong.runtime.tables import printer, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from zhongkong.runtime.asking import Asker


def fetch_status(gateway: Asker) -> dict[str, Any]:
    """The status document. Blocking for seconds. Raises ConfigError, NotReached."""
    document = gateway.ask("GET", STATUS_PATH)
    if "targets" not in document:
        raise NotReached("what listens there is no callback gateway")
    return document


def print_status(document: dict[str, Any], *, as_json: bool) -> None:
    """Print the document as JSON, or as tables with what needs attention below them."""
    console = printer(as_json=as_json)
    if as_json:
        console.print_json(data=document)
        return
    console.print(_accounts(document))
    console.print(_targets(document))
    for line in (_stores(document), *_attention(document)):
        console.print(line, markup=False, soft_wrap=True)


def _accounts(document: dict[str, Any]) -> Table:
    title = f"{document['replica']}: {'ready' if document['ready'] else 'not ready'}"
    rows = table(
        *("Account", "Mode", "Answered", "Retries", "Joins", "Refused", "Old token, key"),
        title=title,
        wrapped=("Old token, key",),
    )
    for account in document["accounts"]:
        rows.add_row(
            account["account"],
            account["mode"],
            _counts(account["answered"]),
            str(account["retries"]),
            str(account["joins"]),
            _counts(account["refused"]),
            f"{_old(account, 'token')}\n{_old(account, 'aes_key')}",
        )
    return rows


def _targets(document: dict[str, Any]) -> Table:
    rows = table("Target", "State", "Waiting", "Under way", "Oldest due", "Dead letters")
    for target in document["targets"]:
        oldest = target["oldest_due_s"]
        rows.add_row(
            target["target"],
            _state(target),
            _number(target["waiting"]),
            _number(target["leased"]),
            "-" if not oldest else f"{oldest:g} s",
            _number(target["dead"]),
        )
    return rows


def _stores(document: dict[str, Any]) -> str:
    store, inbox = document["store"], document["inbox"]
    held = "?" if inbox is None else f"{inbox['events']} of {inbox['limit']} events"
    return f"store {store['address']}: {held}, durability {store['durability']}"


def _attention(document: dict[str, Any]) -> Iterator[str]:
    yield from _store_troubles(document)
    for account in document["accounts"]:
        skew = account["clock_skew_s"]
        if skew is not None:
            yield f"{account['account']}: a callback's clock was {skew:+.0f} s from ours"
    for target in document["targets"]:
        if target["disabled"]:
            yield (
                f"target {target['target']} answered 410 and gets no more; "
                f"`callback-gateway targets enable {target['target']}`"
            )
    config = document["config"]
    for line in (*config["refused_because"], *config["unusable_secrets"], *config["notices"]):
        yield f"config: {line}"
    for task, error in document["failing_tasks"].items():
        yield f"task {task} keeps failing: {error}; the log has the traceback"


def _store_troubles(document: dict[str, Any]) -> Iterator[str]:
    store, spool = document["store"], document["spool"]
    if not store["reachable"]:
        yield f"store {store['address']} can't be reached"
    if not store["keeps_durability"]:
        yield f"store {store['address']} can't keep what durability {store['durability']} promises"
    if spool is not None and spool["events"]:
        yield f"{spool['events']} callbacks wait in {spool['address']} for the store"
    if document["unreadable_events"]:
        yield (
            f"{document['unreadable_events']} genuine callbacks could not be read; "
            "`callback-gateway dead-letters list --target -`"
        )


def _state(target: dict[str, Any]) -> str:
    if not target["configured"]:
        return "[red]not configured"
    return "[red]disabled" if target["disabled"] else "[green]enabled"


def _counts(counts: dict[str, int]) -> str:
    return "\n".join(f"{name} {count}" for name, count in counts.items()) or "-"


def _old(account: dict[str, Any], what: str) -> str:
    """When the previous one was used last, where there is one."""
    if account[f"{what}s"] < 2:
        return "-"
    return str(account[f"old_{what}_used_at"] or "not used")


def _number(count: int | None) -> str:
    return "?" if count is None else str(count)
