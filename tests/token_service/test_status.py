from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from tests.token_service.fake_source import NOW
from tests.token_service.statuses import REFUSED, WRONG_SECRET, status
from token_service.freeze import Freeze, Way
from token_service.served import Alarm, SlotStatus
from token_service.status import ProcessStatus, status_document

PROCESS = ProcessStatus(
    replica="a",
    replicas=frozenset({"b", "a"}),
    store="sqlite:////x.db",
    store_reachable=True,
    readiness=None,
    waiting=0,
    waiting_limit=10,
)


def document(*slots: SlotStatus, process: ProcessStatus = PROCESS) -> Any:
    return orjson.loads(orjson.dumps(status_document(process, list(slots), NOW)))


def test_a_healthy_account_is_told_with_times_and_budget() -> None:
    (token,) = document(status())["tokens"]

    assert token["account"] == "shop"
    assert token["live"] is True
    assert token["expires_at"] == "2027-01-15T10:00:00Z"
    assert token["expires_in"] == 7200
    assert token["budget"]["forced"] == {"spent": 1, "limit": 20}
    assert token["failure"] is None


def test_a_failure_is_told_with_cause_and_remedy() -> None:
    (token,) = document(status(failure=WRONG_SECRET, alarms=(Alarm.OPERATOR_ERROR,)))["tokens"]

    assert token["failure"]["errcode"] == 40125
    assert token["failure"]["rid"] == "r-1"
    assert token["failure"]["remedy"]
    assert token["alarms"] == ["operator_error"]


def test_a_refused_address_is_told_with_the_address_and_the_remedy() -> None:
    (token,) = document(status(refusals=(REFUSED,)))["tokens"]

    (refusal,) = token["refused_addresses"]
    assert refusal["address"] == "203.0.113.7"
    assert refusal["replica"] == "replica-1"
    assert refusal["remedy"]


def test_the_process_is_told_with_its_store_and_replicas() -> None:
    found = document()

    assert found["ready"] is True
    assert found["replicas"] == ["a", "b"]
    assert found["store"] == {"address": "sqlite:////x.db", "reachable": True, "frozen": None}


def test_a_frozen_store_is_told_with_the_other_one_and_the_way_back() -> None:
    freeze = Freeze("copy-1", Way.OUT, "redis://new:6379/0", NOW, None)
    frozen = document(process=replace(PROCESS, freeze=freeze))["store"]["frozen"]

    assert (frozen["way"], frozen["other"]) == ("copied_to", "redis://new:6379/0")
    assert frozen["since"] == "2027-01-15T08:00:00Z"
    assert frozen["for_good"] is True
    assert "token-service store thaw" in frozen["remedy"]
