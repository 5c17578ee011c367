from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.fixtures.redis import RedisServer, free_port
from tests.token_service.running import WeChat, running, wechat, write_config
from zhongkong.emulator.world import DEFAULT_ACCOUNT
from zhongkong.runtime.startup import CannotStart


@pytest.fixture
async def emulator() -> AsyncIterator[WeChat]:
    async with wechat() as it:
        yield it


async def test_the_first_reader_gets_a_token_that_lives(tmp_path: Path, emulator: WeChat) -> None:
    async with running(write_config(tmp_path, emulator.port)) as it:
        status, document = await it.token()

        assert status == 200
        world = emulator.world
        assert world.model.ledger.alive(document["value"], world.time.now())
        assert emulator.token_calls == 1


async def test_a_restart_calls_nobody_while_the_stored_token_lives(
    tmp_path: Path, emulator: WeChat
) -> None:
    path = write_config(tmp_path, emulator.port)
    values = []
    for _ in range(3):
        async with running(path) as it:
            values.append((await it.token())[1]["value"])

    assert len(set(values)) == 1
    assert emulator.token_calls == 1


async def test_many_readers_at_the_start_share_one_call(tmp_path: Path, emulator: WeChat) -> None:
    async with running(write_config(tmp_path, emulator.port)) as it:
        answers = await asyncio.gather(*(it.token() for _ in range(200)))

    assert {status for status, _ in answers} == {200}
    assert emulator.token_calls == 1


async def test_readers_of_two_replicas_on_an_empty_redis_share_one_call(
    tmp_path: Path, emulator: WeChat, redis_server: RedisServer
) -> None:
    async with AsyncExitStack() as stack:
        replicas = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            path = write_config(tmp_path / name, emulator.port, store=redis_server.url)
            replicas.append(await stack.enter_async_context(running(path)))
        reads = [replica.token("?wait=20") for replica in replicas for _ in range(100)]
        answers = await asyncio.gather(*reads)
        _, status = await replicas[0].internal("/v1/status")

    assert {code for code, _ in answers} == {200}
    assert len({document["value"] for _, document in answers}) == 1
    assert emulator.token_calls == 1
    assert any("encryption_keys: not set" in notice for notice in status["config"]["notices"])


async def test_the_listeners_are_open_before_the_first_token(tmp_path: Path) -> None:
    async with running(write_config(tmp_path, free_port())) as it:
        assert (await it.internal("/healthz"))[0] == 200
        status, problem = await it.token("?wait=0")

    assert status == 503
    assert problem["title"] == "No live token"


async def test_a_client_added_to_the_file_is_let_in_without_a_restart(
    tmp_path: Path, emulator: WeChat
) -> None:
    path = write_config(tmp_path, emulator.port, verbs="report")
    async with running(path) as it:
        assert (await it.token())[0] == 403
        write_config(tmp_path, emulator.port, verbs="read")
        await it.look_at_config()

        assert (await it.token())[0] == 200


async def test_a_bad_new_version_is_refused_and_reported_while_the_old_one_stays(
    tmp_path: Path, emulator: WeChat
) -> None:
    path = write_config(tmp_path, emulator.port)
    async with running(path) as it:
        write_config(tmp_path, emulator.port, extra="nonsense: 1\n")
        await it.look_at_config()
        (refusal,) = (await it.internal("/v1/status"))[1]["config"]["refused_because"]

        assert "token_service.yaml:10: nonsense" in refusal
        assert (await it.token())[0] == 200


async def test_a_setting_that_takes_a_restart_is_named(tmp_path: Path, emulator: WeChat) -> None:
    async with running(write_config(tmp_path, emulator.port)) as it:
        write_config(tmp_path, emulator.port, extra="waiters: 5\n")
        await it.look_at_config()

        notices = (await it.internal("/v1/status"))[1]["config"]["notices"]
        assert "waiters: has changed and takes effect at the next start" in notices


async def test_a_wrong_secret_is_shown_and_a_replaced_file_mends_it(
    tmp_path: Path, emulator: WeChat
) -> None:
    path = write_config(tmp_path, emulator.port)
    secret = tmp_path / "secret"
    secret.write_text("f" * 32)
    async with running(path) as it:
        status, problem = await it.token("?wait=1")
        assert (status, problem["errcode"]) == (503, 40125)
        (token,) = (await it.internal("/v1/status"))[1]["tokens"]
        assert token["failure"]["errcode"] == 40125
        assert token["failure"]["remedy"]
        assert "operator_error" in token["alarms"]

        secret.write_text(str(DEFAULT_ACCOUNT.secret))
        await it.look_at_config()
        async with asyncio.timeout(30):
            while (await it.token("?wait=1"))[0] != 200:
                pass


async def test_an_account_may_be_removed_while_running(tmp_path: Path, emulator: WeChat) -> None:
    path = write_config(tmp_path, emulator.port)
    async with running(path) as it:
        await it.token()
        text = path.read_text().replace("name: shop, appid", "name: store, appid")
        path.write_text(text)
        await it.look_at_config()

        assert (await it.token())[0] == 404


async def test_a_second_process_on_the_same_file_is_refused(
    tmp_path: Path, emulator: WeChat
) -> None:
    path = write_config(tmp_path, emulator.port)
    async with running(path):
        with pytest.raises(CannotStart, match=r"tokens\.db"):
            async with running(path):
                pass


async def test_metrics_tell_of_the_account(tmp_path: Path, emulator: WeChat) -> None:
    async with running(write_config(tmp_path, emulator.port)) as it:
        await it.token()
        url = f"http://127.0.0.1:{it.internal_port}/metrics"
        async with it.session.get(url) as response:
            text = await response.text()

    assert 'token_service_token_remaining_seconds{account="shop",kind="access_token"} 7' in text
    assert (
        'token_service_upstream_calls_total{account="shop",call="normal",outcome="ok"} 1.0' in text
    )


async def test_a_waiting_reader_doesn_t_hold_up_the_end(tmp_path: Path) -> None:
    async with running(write_config(tmp_path, free_port())) as it:
        waiting = asyncio.ensure_future(it.token("?wait=60"))
        while not (await it.internal("/v1/status"))[1]["waiting"]["requests"]:
            pass
        it.stop.request("test")
        status, problem = await waiting

    assert status == 503
    assert "stopped" in problem["detail"]
