"""What docs/callback-gateway.md and the READMEs say of the gateway is what the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from callback_gateway import internal
from callback_gateway.authenticity import Forgery
from callback_gateway.cli import app
from callback_gateway.delivery import outcome, verdict
from callback_gateway.depth_watch import DepthWatch
from callback_gateway.doorway import ACCOUNT, CALLBACK_PREFIX
from callback_gateway.inbox.durability import Durability
from callback_gateway.inbox.memory import MemoryInbox
from callback_gateway.inbox.records import Arrival, Keeping, Mark
from callback_gateway.metrics import GatewayMetrics
from callback_gateway.settings import GatewaySettings, MatchSettings
from tests.docs.blocks import READMES, ROOT, rows
from tests.docs.log_events import logged_by
from tests.docs.pages import (
    QUOTED,
    cells,
    commands_of,
    commands_told,
    keys_of,
    log_lines_told,
    options_amiss,
    settings_told,
)
from zhongkong.runtime.admin import METRICS_PATH, STATUS_PATH
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.wechat.push_kinds import EVENTS, MESSAGES

PAGE = ROOT / "docs" / "callback-gateway.md"
TABLE = rows(PAGE)
METRIC = re.compile(r"callback_gateway_\w+")


async def metrics_there_are() -> set[str]:
    """The names of every metric once there is something of everything."""
    clock = SystemClock()
    inbox = MemoryInbox(clock, SystemRandomness(), Keeping())
    await inbox.accept([Arrival("msg_1", "shop", b"{}", notify=("crm",))], owner="a")

    async def spooled() -> int:
        return 0

    metrics = GatewayMetrics(clock)
    watch = DepthWatch(inbox, clock, spool=spooled)
    await watch.look()
    metrics.show(watch)
    shown = re.findall(r"^# HELP (\w+)", metrics.render().decode(), re.MULTILINE)
    return {name for name in shown if name.startswith("callback_gateway_")}


async def test_every_metric_is_told_and_no_other() -> None:
    assert {word for word in cells(TABLE, 0) if METRIC.fullmatch(word)} == await metrics_there_are()


@pytest.mark.parametrize("page", [*READMES, PAGE], ids=lambda page: page.name)
async def test_no_page_names_a_metric_that_there_is_not(page: Path) -> None:
    assert set(METRIC.findall(page.read_text("utf-8"))) <= {
        *await metrics_there_are(),
        "callback_gateway_spool",  # the name of a file
    }


def test_every_setting_is_told() -> None:
    told = settings_told(TABLE)
    assert set(keys_of(GatewaySettings, whole=frozenset({"token_service"}))) <= told
    assert set(MatchSettings.model_fields) <= told


def test_every_reason_and_every_outcome_is_told() -> None:
    constants = {
        value
        for module in (outcome, verdict)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    }
    assert constants <= cells(TABLE, 0)
    assert {each.value for each in Forgery} <= cells(TABLE, 2)
    assert {each.value for each in Mark} <= cells(TABLE, 0)
    assert {each.value for each in Durability} <= cells(TABLE, 1) | cells(TABLE, 2) | cells(
        TABLE, 3
    )


def test_every_type_of_event_is_told_with_its_fields() -> None:
    told: dict[str, set[str]] = {}
    for row in TABLE:
        for type_ in re.findall(r"`(wechat\.(?:message|event)\.\w+)`", row[0]):
            told[type_] = set(QUOTED.findall(row[1]))
    known = {f"wechat.message.{name}": set(fields) for name, fields in MESSAGES.items()}
    known |= {f"wechat.event.{name.lower()}": set(fields) for name, fields in EVENTS.items()}
    assert told == known


def test_every_line_of_the_log_is_told_with_its_level() -> None:
    logged = logged_by("callback_gateway")
    quiet = {event for event, levels in logged.items() if levels == {"debug"}}
    told = log_lines_told(TABLE, logged)
    assert logged.keys() - quiet <= told.keys()
    assert all(logged[event] & levels for event, levels in told.items())


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_the_readme_names_only_lines_that_are_logged(page: Path) -> None:
    logged = logged_by("callback_gateway")
    alerts = [row for row in rows(page) if len(row) == 4 and "callback_gateway_" in row[0]]
    assert len(alerts) >= 8
    assert cells(alerts, 1) <= logged.keys()


def test_every_command_is_told_with_its_options() -> None:
    assert commands_told(TABLE, "callback-gateway", app) == commands_of(app)
    assert options_amiss(TABLE, "callback-gateway", app) == {}


def test_every_path_is_told() -> None:
    text = PAGE.read_text("utf-8")
    paths = {
        *(
            f"{CALLBACK_PREFIX}{{{ACCOUNT}}}",
            METRICS_PATH,
            STATUS_PATH,
            internal.LETTERS_PATH,
            internal.LETTER_PATH,
        ),
        *(internal.REDRIVE_PATH, internal.DROP_PATH, internal.ENABLEMENT_PATH),
    }
    assert [path for path in paths if path not in text] == []
