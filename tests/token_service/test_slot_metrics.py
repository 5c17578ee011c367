from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from tests.token_service.fake_source import NOW
from tests.token_service.statuses import REFUSED, WRONG_SECRET, status
from token_service.served import Alarm, SlotStatus
from token_service.slot_metrics import SlotCollector


def rendered(*statuses: SlotStatus, limit: int = 100) -> set[str]:
    registry = CollectorRegistry()
    registry.register(SlotCollector("token_service", lambda: list(statuses), series_limit=limit))
    text = generate_latest(registry).decode()
    return {line for line in text.splitlines() if not line.startswith("#")}


def test_an_account_shows_its_token_s_end_its_budget_and_its_alarms() -> None:
    lines = rendered(status(alarms=(Alarm.IN_DOUBT,), in_doubt_since=NOW))

    assert lines >= {
        'token_service_token_expires_at_seconds{account="shop",kind="access_token"} '
        + f"{NOW + 7200:.10g}".replace("1800007200", "1.8000072e+09"),
        'token_service_token_remaining_seconds{account="shop",kind="access_token"} 7200.0',
        'token_service_token_in_doubt{account="shop",kind="access_token"} 1.0',
        'token_service_budget_spent_calls{account="shop",call="forced",kind="access_token"} 1.0',
        'token_service_budget_limit_calls{account="shop",call="forced",kind="access_token"} 20.0',
        (
            'token_service_alarm_ringing{account="shop",alarm="token_in_doubt",'
            'kind="access_token"} 1.0'
        ),
        'token_service_alarmed_accounts{alarm="token_in_doubt"} 1.0',
        'token_service_alarmed_accounts{alarm="no_live_token"} 0.0',
    }


def test_a_failure_shows_its_kind_and_code() -> None:
    lines = rendered(status(failure=WRONG_SECRET, refusals=(REFUSED,)))

    assert (
        'token_service_failed_attempts{account="shop",errcode="40125",failure="operator",'
        'kind="access_token"} 2.0' in lines
    )
    assert 'token_service_refused_addresses{account="shop",kind="access_token"} 1.0' in lines


def test_accounts_beyond_the_limit_share_one_series() -> None:
    lines = rendered(
        status("a"), status("b", expires_in_s=50), status("c", expires_in_s=40), limit=1
    )

    assert 'token_service_token_remaining_seconds{account="a",kind="access_token"} 7200.0' in lines
    other = 'token_service_token_remaining_seconds{account="other",kind="access_token"} 40.0'
    assert other in lines
    assert not any('account="b"' in line or 'account="c"' in line for line in lines)


def test_an_account_without_a_token_shows_zero() -> None:
    lines = rendered(status(live=False, expires_at=None, expires_in_s=0))

    assert 'token_service_token_expires_at_seconds{account="shop",kind="access_token"} 0.0' in lines
