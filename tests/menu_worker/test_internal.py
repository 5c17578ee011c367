"""`menu-worker run` as a whole, and what it answers on its internal listener."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from menu_worker.app import open_worker
from tests.menu_worker.fleets import BUY, SELL
from tests.menu_worker.served import ADMIN, KEY, Shop, open_shop
from zhongkong.runtime import logs
from zhongkong.runtime.clock import SystemClock, SystemRandomness
from zhongkong.runtime.lifecycle import Stop
from zhongkong.runtime.startup import CannotStart

Output = pytest.CaptureFixture[str]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path, "shop", "bank") as it:
        it.desire("shop", BUY)
        yield it


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    logs.configure("menu_worker", stream=stream, json=True)
    yield stream
    logs.close()


async def reconciled(shop: Shop, body: object = None) -> list[dict[str, Any]]:
    status, answer = await shop.ask("POST", "/v1/reconcile", body)
    assert status == 200, answer
    accounts: list[dict[str, Any]] = answer["accounts"]
    return accounts


async def test_a_request_reconciles_and_answers_with_the_result(shop: Shop) -> None:
    async with shop.worker():
        await reconciled(shop)
        assert shop.world.live("shop") == BUY
        [again] = await reconciled(shop, {"account": "shop"})
        assert again["result"] == "in_sync"


async def test_a_request_takes_a_changed_file_over_at_once(shop: Shop) -> None:
    async with shop.worker():
        await reconciled(shop)
        shop.desire("shop", SELL)
        [applied] = await reconciled(shop)
        assert applied["result"] in {"applied", "in_sync"}
        assert shop.world.live("shop") == SELL


@pytest.mark.parametrize(
    ("body", "status"),
    [({"account": "nobody"}, 404), ({"all": True}, 400), ([], 400), ({"account": 1}, 400)],
)
async def test_a_request_for_what_is_not_there_is_refused(
    shop: Shop, body: object, status: int
) -> None:
    async with shop.worker():
        assert (await shop.ask("POST", "/v1/reconcile", body))[0] == status


async def test_an_account_is_paused_and_resumed_there_too(shop: Shop, log: io.StringIO) -> None:
    async with shop.worker():
        await reconciled(shop)
        assert (await shop.ask("POST", "/v1/accounts/shop/pause"))[0] == 200
        shop.desire("shop", SELL)
        assert [each["result"] for each in await reconciled(shop)] == ["paused"]
        assert shop.world.live("shop") == BUY
        assert (await shop.ask("POST", "/v1/accounts/shop/resumption"))[0] == 200
        await reconciled(shop)
        assert shop.world.live("shop") == SELL
        assert (await shop.ask("POST", "/v1/accounts/nobody/pause"))[0] == 404
    logs.close()
    audited = [json.loads(line) for line in log.getvalue().splitlines() if "admin_acted" in line]
    assert [each["what"] for each in audited if each["account"] == "shop"] == [
        "pause",
        "resumption",
    ]


async def test_without_the_admin_key_nothing_can_be_changed_or_read(shop: Shop) -> None:
    async with shop.worker():
        for method, path in (
            ("POST", "/v1/reconcile"),
            ("POST", "/v1/accounts/shop/pause"),
            ("GET", "/v1/status"),
            ("GET", "/metrics"),
        ):
            assert (await shop.ask(method, path, key=None))[0] == 401
            assert (await shop.ask(method, path, key="x" * 32))[0] == 401
        assert (await shop.ask("GET", "/healthz", key=None))[0] == 200


async def test_the_probe_tells_when_the_menus_are_live(shop: Shop) -> None:
    shop.away.add("shop")
    async with shop.worker():
        assert (await shop.ask("GET", "/readyz", key=None))[0] == 503
        shop.away.clear()
        await reconciled(shop)
        assert await shop.ask("GET", "/readyz", key=None) == (200, {"status": "ready"})


async def test_a_bad_file_is_in_the_probe_the_status_and_the_metrics(shop: Shop) -> None:
    path = shop.desire("bank", BUY)
    path.write_text("account: bank\nbutton: [7]\n")
    async with shop.worker():
        await reconciled(shop)
        status, answer = await shop.ask("GET", "/readyz", key=None)
        assert (status, answer["reason"]) == (503, "desired files can not be used")
        document = (await shop.ask("GET", "/v1/status"))[1]
        assert str(path) in document["files"]["refused"]
        by_name = {each["account"]: each for each in document["accounts"]}
        assert f"{path}:2:" in by_name["bank"]["desired_refused_because"]
        assert by_name["shop"]["result"] in {"applied", "in_sync"}
        metrics = (await shop.ask("GET", "/metrics"))[1]
        assert 'menu_worker_desired_invalid{account="bank"} 1.0' in metrics
        assert "menu_worker_desired_files_invalid 1.0" in metrics


async def test_the_metrics_tell_of_passes_steps_and_calls_left(shop: Shop) -> None:
    async with shop.worker():
        await reconciled(shop)
        await reconciled(shop)
        shown = (await shop.ask("GET", "/metrics"))[1]
    assert 'menu_worker_passes_total{account="shop",result="applied"} 1.0' in shown
    assert 'menu_worker_steps_total{account="shop",step="create"} 1.0' in shown
    assert 'menu_worker_in_sync{account="shop"} 1.0' in shown
    assert 'menu_worker_drift{account="shop",source="console"} 0.0' in shown
    assert 'menu_worker_switched_off{account="shop"} 0.0' in shown
    assert 'menu_worker_quota_left{account="shop",path="/cgi-bin/menu/create"} 799.0' in shown
    assert 'menu_worker_last_apply_timestamp_seconds{account="shop"}' in shown


async def test_the_status_command_shows_the_running_worker(
    shop: Shop, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHONGKONG_ADMIN_KEY", ADMIN)
    monkeypatch.setenv("COLUMNS", "200")
    shop.desire("bank", BUY)
    shop.away.add("bank")
    async with shop.worker():
        await reconciled(shop)
        assert await shop.command("status") == 0
        shown = capsys.readouterr().out
        assert "worker-1: not ready: desired menus are not verified live yet" in shown
        assert "in sync" in shown or "applied" in shown
        assert "bank: the token service answered 503" in shown
        assert await shop.command("status", "--json") == 0
        assert json.loads(capsys.readouterr().out)["instance"] == "worker-1"
    assert await shop.command("status") == 1
    assert "start it with `menu-worker run`" in capsys.readouterr().err


async def test_neither_key_nor_menu_is_shown_or_logged(shop: Shop, log: io.StringIO) -> None:
    async with shop.worker():
        await reconciled(shop)
        shown = [json.dumps(await shop.ask("GET", path)) for path in ("/v1/status", "/metrics")]
    logs.close()
    for text in (*shown, log.getvalue()):
        assert KEY not in text
        assert ADMIN not in text
        assert hashlib.sha256(ADMIN.encode()).hexdigest() not in text
        assert "BUY_IN" not in text


async def test_commands_and_a_running_worker_share_one_file(shop: Shop) -> None:
    async with shop.worker():
        await reconciled(shop)
        shop.desire("shop", SELL)
        assert await shop.command("apply") == 0
        assert await shop.command("pause", "shop") == 0
        shop.desire("shop", BUY)
        assert [each["result"] for each in await reconciled(shop)] == ["paused"]
        assert shop.world.live("shop") == SELL


async def test_the_next_pass_of_a_worker_undoes_a_rollback(shop: Shop) -> None:
    async with shop.worker():
        await reconciled(shop)
        shop.desire("shop", SELL)
        await reconciled(shop)
        assert await shop.command("rollback", "2") == 0
        assert shop.world.live("shop") == BUY
        [back] = await reconciled(shop)
        assert back["result"] == "applied"
        assert shop.world.live("shop") == SELL


async def test_what_keeps_it_from_starting_is_one_line(shop: Shop) -> None:
    loaded = shop.loaded()
    (shop.folder / "key").unlink()
    with pytest.raises(CannotStart, match="token_service: the key file"):
        async with open_worker(loaded, Stop(), clock=SystemClock(), randomness=SystemRandomness()):
            raise AssertionError("it opened")
