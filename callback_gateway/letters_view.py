"""`callback-gateway dead-letters`: asks a running gateway, and shows what it said to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from callback_gateway.internal import (
    DROP_PATH,
    ENABLEMENT_PATH,
    LETTER_PATH,
    LETTERS_PATH,
    REDRIVE_PATH,
)
from zhongkong.runtime.tables import printer, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.runtime.asking import Asker

_CHANGE_TIMEOUT_S: Final = 60.0
"""A request changes thousands at most."""


def fetch_page(gateway: Asker, wanted: Mapping[str, str | int | None]) -> dict[str, Any]:
    """One page. Blocking for seconds. Raises ConfigError, NotReached, as all of these."""
    query = urlencode({name: value for name, value in wanted.items() if value is not None})
    return gateway.ask("GET", f"{LETTERS_PATH}?{query}" if query else LETTERS_PATH)


def fetch_letter(gateway: Asker, identity: str) -> dict[str, Any]:
    """One dead letter, with its event when the admin key is known."""
    return gateway.ask("GET", LETTER_PATH.format(id=quote(identity, safe="")))


def redrive(gateway: Asker, selection: Mapping[str, object]) -> int:
    """How many are due again. May be repeated."""
    return _change(gateway, REDRIVE_PATH, selection, "redriven")


def drop(gateway: Asker, selection: Mapping[str, object]) -> int:
    """How many are gone. May be repeated."""
    return _change(gateway, DROP_PATH, selection, "dropped")


def enable(gateway: Asker, target: str) -> bool:
    """Let a target that answered 410 have deliveries again; False when it did have them."""
    answer = gateway.ask("POST", ENABLEMENT_PATH.format(name=quote(target, safe="")), {})
    return bool(answer["was_disabled"])


def print_page(page: dict[str, Any], *, as_json: bool) -> None:
    """Print one page as JSON or as a table."""
    console = printer(as_json=as_json)
    if as_json:
        console.print_json(data=page)
        return
    rows = table("Id", "What became of it", wrapped=("What became of it",))
    # Ids are copied from here, so they stay in one piece.
    rows.columns[0].overflow = "ignore"
    for letter in page["dead_letters"]:
        rows.add_row(letter["id"], _story(letter))
    console.print(rows)
    if page["next"] is not None:
        console.print(f"there are more: --after {page['next']}", markup=False)


def print_letter(letter: dict[str, Any]) -> None:
    """Print one dead letter as JSON."""
    printer(as_json=True).print_json(data=letter)


def _story(letter: dict[str, Any]) -> str:
    attempts = letter["attempts"]
    tried = (
        f"{len(attempts)} attempts, the last {attempts[-1]['outcome']}"
        if attempts
        else "not attempted"
    )
    return (
        f"{letter['reason']} at {letter['died_at']}\n"
        f"{letter['kind']} of account {letter['account']}; {tried}"
    )


def _change(gateway: Asker, path: str, selection: Mapping[str, object], counted: str) -> int:
    total = 0
    while True:
        answer = gateway.ask("POST", path, selection, timeout_s=_CHANGE_TIMEOUT_S)
        total += int(answer[counted])
        if not answer["more"] or not answer[counted]:
            return total
