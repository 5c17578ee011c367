"""From settings to what the rotation and the API take: plans, directory, and what to warn about."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from token_service.clients import Caller, Clients, Verb
from token_service.directory import Account, Directory
from token_service.plan import AccountPlan
from token_service.policy import Limits, Policy
from token_service.settings import AccountKind
from token_service.slot import Kind, Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    from token_service.settings import AccountSettings, ClientSettings, TokenServiceSettings

_BUILT_VERBS = frozenset(Verb) - {Verb.SIGN}


def plans(settings: TokenServiceSettings) -> dict[str, AccountPlan]:
    """What the rotation is told, by account name; tickets by `name/kind`."""
    made: dict[str, AccountPlan] = {}
    for account in settings.accounts:
        ordinary = policy(settings, account)
        for kind, slot in _slots(account).items():
            place = f"{account.name}/{kind}" if slot.kind.is_ticket else account.name
            times = replace(ordinary, ticket=slot.kind.is_ticket)
            made[place] = AccountPlan(account.name, slot, times, account.secret.reveal)
    return made


def policy(settings: TokenServiceSettings, account: AccountSettings) -> Policy:
    """The times and limits of one account."""
    times, budgets = settings.rotation, settings.budgets
    sandbox = account.kind is AccountKind.SANDBOX
    return Policy(
        mode=account.mode,
        lead_s=times.lead,
        lead_jitter_s=times.lead_jitter,
        call_deadline_s=times.call_deadline,
        lease_ttl_s=times.lease,
        send_margin_s=times.send_margin,
        settle_s=times.settle,
        forced_apart_s=budgets.forced_apart,
        # Nobody else could hold a token that a store of our own has lost.
        reseed_grace_s=times.reseed_grace if shares_store(settings) else 0.0,
        backoff_base_s=times.backoff_base,
        backoff_cap_s=times.backoff_cap,
        operator_retry_s=times.operator_retry,
        budget_low_share=budgets.alarm_at,
        limits=Limits(
            normal=budgets.normal,
            forced=budgets.forced,
            classic=budgets.classic_sandbox if sandbox else budgets.classic,
            forced_reserve=budgets.forced_reserve,
            classic_reserve=budgets.classic_reserve,
        ),
    )


def shares_store(settings: TokenServiceSettings) -> bool:
    """Whether other replicas can use the same store."""
    return settings.store.startswith("redis")


def directory(
    settings: TokenServiceSettings, is_revoked: Callable[[str], bool] = lambda _key_sha256: False
) -> Directory:
    """Accounts and clients, as the API knows them; a client with a revoked key isn't one."""
    accounts = {
        account.name: Account(account.name, account.appid, _slots(account), account.secret.reveal)
        for account in settings.accounts
    }
    return Directory(
        accounts,
        Clients(
            Caller(
                client.name,
                bytes.fromhex(client.key_sha256),
                client.accounts,
                client.kinds,
                frozenset(client.verbs),
                client.proxy_paths,
                client.hand_out == "real",
                client.rate.rate() if client.rate is not None else None,
            )
            for client in settings.clients
            if client.key_sha256 is not None and not is_revoked(client.key_sha256)
        ),
    )


def warnings(settings: TokenServiceSettings) -> list[str]:
    """What is allowed but probably not meant, one line each."""
    found: list[str] = []
    if not settings.accounts:
        found.append("accounts: none is configured, so there is no token to give")
    if not settings.clients:
        found.append("clients: none is configured, so nobody can ask for a token")
    if not settings.encryption_keys and shares_store(settings):
        found.append(
            "encryption_keys: not set, so tokens stand readable in Redis;"
            " `head -c 32 /dev/urandom | basenc --base64url` makes a key"
        )
    names = [account.name for account in settings.accounts]
    for index, client in enumerate(settings.clients):
        found.extend(_about_client(f"clients[{index}]", client, names))
    return found


def _about_client(place: str, client: ClientSettings, names: list[str]) -> list[str]:
    found = [
        f"{place}.accounts: {glob} fits no configured account"
        for glob in client.accounts
        if not any(glob.matches(name) for name in names)
    ]
    if not client.accounts:
        found.append(f"{place}.accounts: not given, so {client.name} may use no account")
    if Verb.PROXY in client.verbs and not client.proxy_paths:
        found.append(f"{place}.proxy_paths: not given, so {client.name} may call no path")
    if client.hand_out == "real" and Verb.READ not in client.verbs:
        found.append(f"{place}.hand_out: real tokens take the right read, which isn't given")
    idle = [str(verb) for verb in client.verbs if verb not in _BUILT_VERBS]
    if idle:
        found.append(f"{place}.verbs: {', '.join(idle)} has no effect yet")
    return found


def _slots(account: AccountSettings) -> dict[str, Slot]:
    kinds = [Kind.ACCESS_TOKEN, *(Kind(f"{ticket}_ticket") for ticket in account.tickets)]
    return {kind: Slot(account.appid, kind, account.mode) for kind in kinds}
