"""`menu-worker history` and `rollback`: what was live before each write, and back to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer
from rich.markup import escape
from rich.text import Text

from menu_worker import diff_view
from menu_worker.commands.apply import apply_one
from menu_worker.commands.printing import show, show_json
from menu_worker.commands.session import session, store_alone
from menu_worker.desired import Desired
from menu_worker.normal_form import of_desired
from menu_worker.result_words import sentence
from menu_worker.results import Applied, is_good
from zhongkong.runtime.answers import rfc3339
from zhongkong.runtime.storage import StoreUnavailable
from zhongkong.runtime.tables import printer, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from menu_worker.commands.session import Session
    from menu_worker.settings import MenuWorkerSettings
    from menu_worker.store.base import Revision
    from zhongkong.runtime.settings import Loaded

NOT_BY_API: Final = (
    "what was live before it was made in WeChat's web console and can't be made by a call; "
    "`menu-worker history --json` shows it"
)


async def history(
    loaded: Loaded[MenuWorkerSettings], accounts: Sequence[str], *, limit: int, as_json: bool
) -> int:
    """0, or 1 when the store can't be read."""
    try:
        async with store_alone(loaded) as store:
            found = [
                revision
                for account in accounts
                for revision in await store.history(account, limit=limit)
            ]
    except StoreUnavailable as trouble:
        typer.echo(str(trouble), err=True)
        return 1
    if as_json:
        show_json({"revisions": [_document(each) for each in found]})
    else:
        printer().print(_table(found), highlight=False)
    return 0


async def rollback(loaded: Loaded[MenuWorkerSettings], account: str, number: int) -> int:
    """0: what was live before that write is live again; 1: not."""
    async with session(loaded, "rollback", force=True) as opened:
        try:
            revision = await opened.store.revision(account, number)
        except StoreUnavailable as trouble:
            typer.echo(str(trouble), err=True)
            return 1
        refusal = _refusal(revision, account, number, allow_delete=opened.settings.allow_delete)
        if revision is None or refusal is not None:
            typer.echo(refusal, err=True)
            return 1
        desired = Desired(account, of_desired(revision.before), file=Path(f"revision {number}"))
        order = replace(opened.order(), anew=True, heeds_pause=False)
        result = await apply_one(opened.fleet, desired, order)
        if isinstance(result, Applied):
            show(diff_view.rendered(result.plan))
        show([Text(f"{account}: {sentence(result)}")])
        if not is_good(result):
            return 1
        show(Text(line) for line in await _what_follows(opened, account, desired))
    return 0


def _refusal(
    revision: Revision | None, account: str, number: int, *, allow_delete: bool
) -> str | None:
    if revision is None:
        return f"{account} has no revision {number}; `menu-worker history` lists them"
    if "console" in revision.before:
        return f"revision {number}: {NOT_BY_API}"
    if of_desired(revision.before).is_empty and not allow_delete:
        return (
            f"revision {number}: no menu was live before it; going back there deletes the live "
            "one, which takes `allow_delete: true`"
        )
    return None


async def _what_follows(opened: Session, account: str, desired: Desired) -> list[str]:
    """Who will undo it, and who won't."""
    back = (
        "`menu-worker run` with this configuration brings the desired menu back with its next "
        f"pass, unless its file is changed or the account paused (`menu-worker pause {account}`)"
    )
    try:
        standing = await opened.store.standing(account)
        paused_by = await opened.store.paused(account)
    except StoreUnavailable:
        return [back]
    if paused_by is not None:
        back = (
            f"{account} is paused by {paused_by}: change its file before `menu-worker resume "
            f"{account}`, or the desired menu comes back"
        )
    lines = [back]
    others = [
        claim.instance
        for claim in standing.claims
        if claim.instance != opened.fleet.conduct.instance
        and claim.fingerprint != desired.menu.fingerprint
    ]
    if others:
        lines.append(f"until their files change, these stand down: {', '.join(others)}")
    return lines


def _table(revisions: Sequence[Revision]) -> Table:
    rows = table(
        *("Account", "Revision", "At", "By", "Reason", "Outcome", "Buttons before, after"),
        wrapped=("Outcome", "Buttons before, after"),
    )
    for each in revisions:
        outcome = each.outcome.value.replace("_", " ")
        rows.add_row(
            each.account,
            str(each.id),
            rfc3339(each.at),
            escape(each.actor),
            escape(each.reason),
            escape(f"{outcome}: {each.detail}" if each.detail else outcome),
            f"{_buttons(each.before)}, {_buttons(each.after)}",
        )
    return rows


def _buttons(document: Any) -> int:
    menu = of_desired(document)
    menus = (menu.buttons, *(each.buttons for each in menu.conditional))
    return sum(len(button.children) or 1 for buttons in menus for button in buttons)


def _document(revision: Revision) -> dict[str, Any]:
    return {
        "account": revision.account,
        "revision": revision.id,
        "at": rfc3339(revision.at),
        "by": revision.actor,
        "reason": revision.reason,
        "outcome": revision.outcome.value,
        "detail": revision.detail,
        "fingerprint": revision.fingerprint,
        "before": dict(revision.before),
        "after": dict(revision.after),
    }
