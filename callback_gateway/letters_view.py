"""`callback-gateway dead-letters`: asks a running gateway, and shows what it said to a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from pydantic import Field

from callback_gateway.internal import (
    DROP_PATH,
    ENABLEMENT_PATH,
    LETTER_PATH,
    LETTERS_PATH,
    REDRIVE_PATH,
)
from zhongkong.runtime.asking import Form
from zhongkong.runtime.tables import printer, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.runtime.asking import Asker

_CHANGE_TIMEOUT_S: Final = 60.0
"""A request changes thousands at most."""


class _Attempt(Form):
    outcome: str


class _Letter(Form):
    """A dead letter without its event."""

    id: str
    account: str
    kind: str
    reason: str
    died_at: str
    attempts: list[_Attempt]


class _Page(Form):
    """`next`: after which one the next page begins."""

    dead_letters: list[_Letter]
    next: str | None


class _Redriven(Form):
    """What one request could do; `more`: there may be others."""

    count: int = Field(alias="redriven")
    more: bool


class _Dropped(Form):
    """As `_Redriven`."""

    count: int = Field(alias="dropped")
    more: bool


class _Enabled(Form):
    """Whether there was anything to do."""

    was_disabled: bool


def show_page(gateway: Asker, wanted: Mapping[str, str | int | None], *, as_json: bool) -> None:
    """Print one page. Blocking for seconds. Raises ConfigError, NotReached, as all of these."""
    query = urlencode({name: value for name, value in wanted.items() if value is not None})
    answer = gateway.ask("GET", f"{LETTERS_PATH}?{query}" if query else LETTERS_PATH)
    page, console = answer.read(_Page), printer(as_json=as_json)
    if as_json:
        console.print_json(data=answer.document)
        return
    rows = table("Id", "What became of it", wrapped=("What became of it",))
    # Ids are copied from here, so they stay in one piece.
    rows.columns[0].overflow = "ignore"
    for letter in page.dead_letters:
        rows.add_row(letter.id, _story(letter))
    console.print(rows)
    if page.next is not None:
        console.print(f"there are more: --after {page.next}", markup=False)


def show_letter(gateway: Asker, identity: str) -> None:
    """Print one dead letter as JSON, with its event when the admin key is known."""
    answer = gateway.ask("GET", LETTER_PATH.format(id=quote(identity, safe="")))
    answer.read(_Letter)
    printer(as_json=True).print_json(data=answer.document)


def redrive(gateway: Asker, selection: Mapping[str, object]) -> int:
    """How many are due again. May be repeated."""
    return _change(gateway, REDRIVE_PATH, selection, _Redriven)


def drop(gateway: Asker, selection: Mapping[str, object]) -> int:
    """How many are gone. May be repeated."""
    return _change(gateway, DROP_PATH, selection, _Dropped)


def enable(gateway: Asker, target: str) -> bool:
    """Let a target that answered 410 have deliveries again; False when it did have them."""
    answer = gateway.ask("POST", ENABLEMENT_PATH.format(name=quote(target, safe="")), {})
    return answer.read(_Enabled).was_disabled


def _story(letter: _Letter) -> str:
    attempts = letter.attempts
    tried = (
        f"{len(attempts)} attempts, the last {attempts[-1].outcome}"
        if attempts
        else "not attempted"
    )
    return (
        f"{letter.reason} at {letter.died_at}\n{letter.kind} of account {letter.account}; {tried}"
    )


def _change(
    gateway: Asker,
    path: str,
    selection: Mapping[str, object],
    form: type[_Redriven | _Dropped],
) -> int:
    total = 0
    while True:
        answer = gateway.ask("POST", path, selection, timeout_s=_CHANGE_TIMEOUT_S)
        changed = answer.read(form)
        total += changed.count
        if not changed.more or not changed.count:
            return total
