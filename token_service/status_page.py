"""PURE: what the token service's page shows, made from the document at /v1/status.

No token, no key and no digest of one comes in, so none gets out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from token_service.status_words import WORDS
from zhongkong.runtime.pages.telling import (
    Bar,
    Moment,
    Trouble,
    head,
    moment,
    process_troubles,
    seconds_between,
    share,
    shown,
    spending,
    worst_first,
)
from zhongkong.runtime.pages.visits import Brand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from token_service.settings import ClientSettings
    from zhongkong.runtime.pages.words import Words

BRAND: Final = Brand("token_service", "token_service", "title", WORDS)
TEMPLATE: Final = "status_page.html.j2"
REVOKE_FORM: Final = "revoke"

_LOW_S: Final = 300
"""A refresh is planned before so little is left."""
_MILD: Final = frozenset(
    {"token_in_doubt", "budget_nearly_spent", "foreign_refresh", "address_refused", "refresh_late"}
)
_SAID_BY_FAILURE: Final = frozenset({"operator_error"})
_SAID_BY_REFUSAL: Final = frozenset({"address_refused"})
_SAID_BY_STORE: Final = frozenset({"store_away", "store_frozen"})


@dataclass(frozen=True, slots=True)
class TokenCard:
    """One token, as the page shows it."""

    key: str
    account: str
    appid: str
    kind: str
    mode: str
    live: bool
    tone: str
    alarms: tuple[tuple[str, str], ...]
    """Words and tone."""
    life: Bar
    version: str | None
    age: str | None
    expires: Moment | None
    refreshed: Moment | None
    cause: str | None
    call: str | None
    next_refresh: Moment | None
    doubt: Moment | None
    waits_for: str | None
    foreign_refreshes: int
    last_foreign: Moment | None
    budgets: tuple[tuple[str, Bar], ...]


@dataclass(frozen=True, slots=True)
class ClientRow:
    """One client and its rights; nothing of its key."""

    name: str
    accounts: str
    kinds: str
    rights: str
    paths: str
    hand_out: str
    rate: tuple[int, float] | None
    """Calls, and in how many seconds."""
    revoked: bool


def client_rows(
    clients: Iterable[ClientSettings], is_revoked: Callable[[str], bool]
) -> list[ClientRow]:
    """The configured clients. `is_revoked` takes the SHA-256 of a key."""
    return [
        ClientRow(
            client.name,
            ", ".join(glob.pattern for glob in client.accounts),
            ", ".join(glob.pattern for glob in client.kinds),
            ", ".join(client.verbs),
            ", ".join(glob.pattern for glob in client.proxy_paths),
            client.hand_out,
            None if client.rate is None else (client.rate.calls, client.rate.per),
            client.key_sha256 is not None and is_revoked(client.key_sha256),
        )
        for client in clients
    ]


def content(
    document: Mapping[str, Any], clients: list[ClientRow], words: Words, query: str = ""
) -> dict[str, Any]:
    """What the template names. `query` is a part of accounts' and clients' names."""
    tokens, tokens_left_off = shown(
        document["tokens"], query, lambda token: token["account"], _urgency
    )
    rows, clients_left_off = shown(clients, query, lambda client: client.name, lambda _: 0)
    now = document["now"]
    troubles = [*_store_troubles(document, words), *process_troubles(words, document)]
    for token in document["tokens"]:
        troubles.extend(_token_troubles(token, words, now))
    return {
        "state": head(words, document, document["replica"]),
        "troubles": worst_first(troubles),
        "notices": document["config"]["notices"],
        "tokens": [_card(token, words, now) for token in tokens],
        "clients": rows,
        "left_off": tokens_left_off + clients_left_off,
        "query": query,
        "store": document["store"],
        "replica": document["replica"],
        "replicas": document["replicas"],
        "waiting": spending(document["waiting"]["requests"], document["waiting"]["limit"]),
        "revoke_form": REVOKE_FORM,
    }


def _card(token: Mapping[str, Any], words: Words, now: str) -> TokenCard:
    issued, expires = token["issued_at"], token["expires_at"]
    alarms = [(words.named("alarm", alarm), _tone(alarm)) for alarm in token["alarms"]]
    cause, call, waits = token["last_cause"], token["last_call"], token["waiting_for"]
    return TokenCard(
        key=f"token-{token['appid']}-{token['kind']}-{token['mode']}",
        account=token["account"],
        appid=token["appid"],
        kind=words.named("kind", token["kind"]),
        mode=words.named("mode", token["mode"]),
        live=token["live"],
        tone=_worst(token),
        alarms=tuple(alarms),
        life=_life(token, words),
        version=token["version"],
        age=None if issued is None else words.span(seconds_between(issued, now)),
        expires=moment(words, expires, now),
        refreshed=moment(words, issued, now),
        cause=None if cause is None else words.named("cause", cause),
        call=None if call is None else words.named("call", call),
        next_refresh=moment(words, token["next_refresh_at"], now),
        doubt=moment(words, token["in_doubt_since"], now),
        waits_for=None if waits is None else words.named("wait", waits),
        foreign_refreshes=token["foreign_refreshes"],
        last_foreign=moment(words, token["last_foreign_refresh_at"], now),
        budgets=tuple(
            (words.named("call", call), spending(each["spent"], each["limit"]))
            for call, each in token["budget"].items()
        ),
    )


def _life(token: Mapping[str, Any], words: Words) -> Bar:
    left_s, issued, expires = token["expires_in"], token["issued_at"], token["expires_at"]
    if not token["live"] or issued is None or expires is None:
        return Bar(0, words("no_token"), "bad")
    whole_s = seconds_between(issued, expires)
    told = words("life_told", left=words.span(left_s), whole=words.span(whole_s))
    doubted = token["in_doubt_since"] is not None
    return Bar(share(left_s, whole_s), told, "warn" if doubted or left_s < _LOW_S else "good")


def _store_troubles(document: Mapping[str, Any], words: Words) -> Iterator[Trouble]:
    store = document["store"]
    if not store["reachable"]:
        detail = words("store_away_detail", address=store["address"])
        yield Trouble(words("store_away"), detail=detail)
    frozen = store["frozen"]
    if frozen is not None:
        way, other = words.named("way", frozen["way"]), frozen["other"]
        detail = words("store_frozen_detail", address=store["address"], way=way, other=other)
        remedy = words.named("do", "copy_at_work" if frozen["at_work"] else frozen["way"])
        yield Trouble(words("alarm.store_frozen"), detail=detail, remedy=remedy)


def _token_troubles(token: Mapping[str, Any], words: Words, now: str) -> Iterator[Trouble]:
    failure, refusals = token["failure"], token["refused_addresses"]
    said = set(_SAID_BY_STORE)
    if failure is not None:
        said |= _SAID_BY_FAILURE
    if refusals:
        said |= _SAID_BY_REFUSAL
    subject = f"{token['account']} · {token['kind']}"
    for alarm in token["alarms"]:
        if alarm not in said:
            do = words.named("do", alarm) if f"do.{alarm}" in WORDS else ""
            yield Trouble(words.named("alarm", alarm), subject, remedy=do, tone=_tone(alarm))
    if failure is not None:
        yield _failure(failure, subject, words, now)
    for refusal in refusals:
        yield _refusal(refusal, subject, words, now)


def _failure(failure: Mapping[str, Any], subject: str, words: Words, now: str) -> Trouble:
    code = "" if failure["errcode"] is None else f" (errcode {failure['errcode']})"
    retry = moment(words, failure["retry_at"], now)
    detail = words(
        "failure_detail",
        detail=f"{failure['detail']}{code}",
        attempts=failure["attempts"],
        retry=words("unknown") if retry is None else retry.told,
    )
    tone = "bad" if failure["kind"] == "operator" else "warn"
    return Trouble(words("failure"), subject, detail, failure["remedy"] or "", tone)


def _refusal(refusal: Mapping[str, Any], subject: str, words: Words, now: str) -> Trouble:
    until = moment(words, refusal["until"], now)
    detail = words(
        "address_detail",
        address=refusal["address"] or words("unknown_address"),
        replica=refusal["replica"],
        errcode=refusal["errcode"],
        until=words("unknown") if until is None else until.told,
    )
    return Trouble(words("address_refused"), subject, detail, refusal["remedy"] or "")


def _tone(alarm: str) -> str:
    return "warn" if alarm in _MILD else "bad"


def _worst(token: Mapping[str, Any]) -> str:
    return ("good", "warn", "bad")[_urgency(token)]


def _urgency(token: Mapping[str, Any]) -> int:
    if not token["live"] or any(_tone(alarm) == "bad" for alarm in token["alarms"]):
        return 2
    return 1 if token["alarms"] or token["failure"] is not None else 0
