from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from callback_gateway import configured
from callback_gateway.reload import Reload
from callback_gateway.routes import Facts
from callback_gateway.rules import Rules
from tests.callback_gateway.settings_files import MINIMAL, SIGNING, TOKEN, loaded
from zhongkong.runtime.clock import SystemClock

TEXT = Facts("text", content="hi", account="shop")
OTHER_SIGNING = "whsec_" + "b" * 32


@dataclass
class Live:
    """A configuration in force, and how often it was changed."""

    path: Path
    rules: Rules
    reload: Reload
    changes: list[str] = field(default_factory=list)

    async def write(self, text: str, file: str = "callback_gateway.yaml") -> None:
        """Twice looked at, as a change just made may be settling."""
        (self.path.parent / file).write_text(text)
        for _ in range(2):
            await self.reload.watcher.look()


@pytest.fixture
def live(tmp_path: Path) -> Live:
    found = loaded(tmp_path)
    rules = configured.rules(found)
    changes: list[str] = []
    reload = Reload(found, rules, SystemClock(), lambda: changes.append("changed"))
    return Live(found.path, rules, reload, changes)


async def test_accounts_targets_and_routes_are_taken_over_together(live: Live) -> None:
    text = MINIMAL.replace("trading", "orders").replace("name: shop", "name: bank")
    await live.write(text + "  - match: {type: text}\n    notify: [orders]\n")

    assert list(live.rules.accounts) == ["bank"]
    assert list(live.rules.targets) == ["orders", "audit"]
    assert live.rules.routes.decide(TEXT).notify == ("audit", "orders")
    assert live.changes == ["changed"]


async def test_a_bad_version_is_refused_and_reported_while_the_old_one_stays(live: Live) -> None:
    await live.write(MINIMAL.replace("notify: audit", "notify: adit"))

    (told,) = live.reload.watcher.refused_because
    assert told.startswith(f"{live.path}:17: routes[2].notify[0]: adit is none of the targets")
    assert live.rules.routes.decide(TEXT).notify == ("audit",)
    assert live.changes == []

    await live.write(MINIMAL)
    assert live.reload.watcher.refused_because == ()


async def test_a_secret_s_new_value_is_used_at_once(live: Live) -> None:
    before = live.rules.targets["trading"]
    await live.write("NewToken1", "token")
    await live.write(OTHER_SIGNING, "signing")

    assert live.rules.accounts["shop"].tokens == ("NewToken1",)
    assert live.rules.targets["trading"].secret != before.secret
    assert live.rules.targets["trading"].fingerprint != before.fingerprint


async def test_a_bad_secret_is_reported_and_the_one_before_it_stays(live: Live) -> None:
    before = live.rules.targets["trading"]
    await live.write("whsec_short", "signing")

    (told,) = live.reload.bad_secrets
    assert "targets.trading.secret" in told
    assert "whsec_short" not in told
    assert live.rules.targets["trading"] == before

    await live.write(SIGNING, "signing")
    assert live.reload.bad_secrets == ()


async def test_a_bad_secret_keeps_no_other_from_being_replaced(live: Live) -> None:
    before = live.rules.targets["trading"]
    await live.write("!", "token")
    await live.write(OTHER_SIGNING, "signing")

    assert live.rules.accounts["shop"].tokens == (TOKEN,)
    assert live.rules.targets["trading"].secret != before.secret
    assert len(live.reload.bad_secrets) == 1


async def test_a_vanished_secret_is_reported_and_its_value_stays(live: Live) -> None:
    (live.path.parent / "token").unlink()
    await live.reload.watcher.look()

    (told,) = live.reload.bad_secrets
    assert "token does not exist" in told
    assert live.rules.accounts["shop"].tokens == (TOKEN,)


async def test_what_takes_a_restart_is_said(live: Live) -> None:
    await live.write("freshness: 5m\n" + MINIMAL)

    assert "freshness: has changed and takes effect at the next start" in live.reload.notices
    assert not [line for line in live.reload.notices if line.startswith("routes")]
