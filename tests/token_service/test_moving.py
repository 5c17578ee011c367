"""`token-service store copy` and `thaw`: the command, the running service, and what they keep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from tests.fixtures.alone import alone_in
from tests.fixtures.redis import RedisServer, free_port
from tests.token_service.running import (
    KEY,
    TOKEN,
    Running,
    WeChat,
    running,
    wechat,
    write_config,
)
from token_service.cli import main
from token_service.internal import COPIES_PATH, FREEZE_PATH, comes_from_here
from token_service.keys import digest_of_key
from token_service.moving import wish
from zhongkong.runtime.problems import Problem

ADMIN = "admin-key-0123456789abcdefghij"
PASSWORD = "a:very@secret/password-of-redis"
ENCODED = "a%3Avery%40secret%2Fpassword-of-redis"
Output = pytest.CaptureFixture[str]


@pytest.fixture
async def emulator() -> AsyncIterator[WeChat]:
    async with wechat() as it:
        yield it


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone_in(tmp_path, monkeypatch)
    monkeypatch.setenv("ZHONGKONG_ADMIN_KEY", ADMIN)


@pytest.fixture(scope="module")
def locked_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    options = ("--requirepass", PASSWORD)
    server = RedisServer(tmp_path_factory.mktemp("locked"), options=options)
    server.start()
    yield server
    server.kill()


@dataclass
class Old:
    """The service that moves, and its commands."""

    path: Path
    it: Running

    async def command(self, *words: str) -> int:
        return await asyncio.to_thread(main, [*words, "--config", str(self.path)])

    async def copy(self, to: str, *more: str) -> int:
        return await self.command("store", "copy", "--to", to, *more)

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        url = f"http://127.0.0.1:{self.it.internal_port}{path}"
        headers = {"Authorization": f"Bearer {ADMIN}"}
        async with self.it.session.request(method, url, json=body, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def ask_rotation(self) -> tuple[int, Any]:
        url = f"http://127.0.0.1:{self.it.port}{TOKEN}/rotations"
        headers = {"Authorization": f"Bearer {KEY}"}
        async with self.it.session.post(url, headers=headers) as response:
            return response.status, await response.json(content_type=None)

    async def begin_call(self) -> Callable[[], Awaitable[None]]:
        """Some process has the right to call WeChat, and a copy waits for it. Returns its end."""
        store = self.it.service._moving._source.store
        (slot,) = await store.slots()
        grant = await store.acquire(slot, "somebody", floor=0, ttl_s=3600)
        assert grant is not None
        return partial(store.release, slot, grant.lease)

    async def frozen(self) -> Any:
        return (await self.ask("GET", "/v1/status"))[1]["store"]["frozen"]

    async def eventually_frozen(self) -> Any:
        async with asyncio.timeout(30):
            while not (found := await self.frozen()):
                await asyncio.sleep(0)
        return found


@pytest.fixture
async def old(tmp_path: Path, emulator: WeChat) -> AsyncIterator[Old]:
    path = old_config(tmp_path, emulator)
    async with running(path) as it:
        assert (await it.token())[0] == 200
        yield Old(path, it)


def old_config(folder: Path, emulator: WeChat) -> Path:
    extra = f"admin_key_sha256: {digest_of_key(ADMIN)}\n"
    return write_config(folder, emulator.port, extra=extra, verbs="read, force")


def flat(text: str) -> str:
    return " ".join(text.split())


async def test_the_service_on_the_other_store_goes_on_with_the_same_token(
    old: Old, tmp_path: Path, emulator: WeChat, redis_server: RedisServer, capsys: Output
) -> None:
    before = (await old.it.token())[1]
    keys = tmp_path / "opaque-key"

    assert await old.copy(redis_server.url, "--keys-out", str(keys)) == 0

    told = capsys.readouterr().out
    assert f"tokens.db is copied: {redis_server.url}" in told
    assert "1 slots, 1 tokens, 0 revocations" in told
    assert f"opaque_token_keys: [{{file: {keys}}}]" in told
    assert "encryption_keys: none: tokens stand readable there" in told
    assert keys.stat().st_mode & 0o777 == 0o600
    assert keys.read_text() == (tmp_path / "tokens.db.opaque-keys").read_text()
    (tmp_path / "new").mkdir()
    new = write_config(tmp_path / "new", emulator.port, store=redis_server.url)
    new.with_name("opaque").write_bytes(keys.read_bytes())
    async with running(new) as it:
        after = (await it.token())[1]
    same = ("value", "version", "expires_at", "issued_at")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert (await old.it.token())[1]["value"] == before["value"]
    assert emulator.token_calls == 1


async def test_the_frozen_service_says_so_everywhere(
    old: Old, redis_server: RedisServer, capsys: Output
) -> None:
    assert await old.frozen() is None
    with capture_logs() as lines:
        assert await old.copy(redis_server.url) == 0
        frozen = await old.eventually_frozen()
        async with asyncio.timeout(30):
            while not any(line["event"] == "alarm_raised" for line in lines):
                await asyncio.sleep(0)
    capsys.readouterr()
    await old.command("status")
    shown = flat(capsys.readouterr().out)
    _, document = await old.ask("GET", "/v1/status")

    assert (frozen["way"], frozen["other"]) == ("copied_to", redis_server.url)
    assert frozen["for_good"] is True
    assert document["tokens"][0]["alarms"] == ["store_frozen"]
    assert f"is frozen, copied to {redis_server.url} since" in shown
    assert "token-service store thaw" in shown
    events = [line["event"] for line in lines]
    assert {"store_copy_started", "store_copied", "alarm_raised"} <= set(events)
    status, problem = await old.ask_rotation()
    assert (status, problem["title"]) == (503, "No live token")
    assert "was copied to another one" in problem["detail"]
    assert redis_server.url not in problem["detail"]


async def test_a_service_that_starts_on_a_copied_store_explains_itself_and_can_be_taken_back(
    tmp_path: Path, emulator: WeChat, redis_server: RedisServer, capsys: Output
) -> None:
    path = old_config(tmp_path, emulator)
    async with running(path) as it:
        await it.token()
        assert await Old(path, it).copy(redis_server.url) == 0
    with capture_logs() as lines:
        async with running(path) as it:
            old = Old(path, it)
            assert (await it.token())[0] == 200
            (line,) = [line for line in lines if line["event"] == "store_frozen"]
            assert line["other"] == redis_server.url
            assert "token-service store thaw" in line["remedy"]
            capsys.readouterr()

            assert await old.command("store", "thaw") == 0

            told = flat(capsys.readouterr().out)
            assert f"It was copied to {redis_server.url}: see to it that no service" in told
            assert (await old.ask_rotation())[0] == 200
            assert await old.frozen() is None
            assert await old.command("store", "thaw") == 0
            assert capsys.readouterr().out == "The store was not frozen.\n"
    assert [line["event"] for line in lines].count("store_thawed") == 1


async def test_a_redis_is_copied_back_to_a_file(
    tmp_path: Path, emulator: WeChat, redis_server: RedisServer
) -> None:
    extra = f"admin_key_sha256: {digest_of_key(ADMIN)}\n"
    path = write_config(tmp_path, emulator.port, extra=extra, store=redis_server.url)
    async with running(path) as it:
        before = (await it.token())[1]["value"]
        assert await Old(path, it).copy("sqlite:///back.db", "--keys-out", "key") == 0
    assert Path("key").read_text().strip() == (tmp_path / "opaque").read_text()
    path.write_text(path.read_text().replace(redis_server.url, "sqlite:///back.db"))
    async with running(path) as it:
        assert (await it.token())[1]["value"] == before
    assert emulator.token_calls == 1


async def test_no_password_and_no_key_is_told_to_anybody(
    old: Old, tmp_path: Path, locked_redis: RedisServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither when all goes well, nor for whatever reason it does not."""
    host = f"127.0.0.1:{locked_redis.port}"
    with capture_logs() as lines:
        caught: list[object] = [lines]
        attempts = {
            f"redis://:{ENCODED}@{host}/0": 0,
            f"redis://:wrong-{ENCODED}@{host}/1": 1,
            f"redis://:{ENCODED}@127.0.0.1:{free_port()}/0": 1,
            f"redis://:{PASSWORD}@{host}/0": 1,
            f"redis://:{ENCODED}@{host}/0?colour=red": 1,
            f"rediss://:{ENCODED}@{host}/0?ssl_ca_certs=none.pem": 1,
            f"redis+sentinel://:{ENCODED}@{host}/main?sentinel_password={ENCODED}": 1,
        }
        for number, (address, code) in enumerate(attempts.items()):
            out = str(tmp_path / f"key-{number}")
            assert await old.copy(address, "--keys-out", out) == code, address
            caught.append(await old.ask("GET", "/v1/status"))
            await old.command("store", "thaw")
        caught.extend(capfd.readouterr())
    logged = [line for line in lines if line["event"].startswith("store_cop")]
    assert len([line for line in logged if line["event"] == "store_copied"]) == 1
    assert len([line for line in logged if line["event"] == "store_copy_failed"]) >= 2
    text = repr(caught)
    opaque = (tmp_path / "tokens.db.opaque-keys").read_text().strip()
    for secret in (PASSWORD, ENCODED, "very@secret", "password-of-redis", opaque, ADMIN):
        assert secret not in text
    assert f"redis://{host}/0" in text
    assert not (tmp_path / "key-1").exists()


@pytest.mark.parametrize("address", ["memory://", "nonsense", "sqlite:///tokens.db"])
async def test_an_address_that_is_no_other_store_is_refused(
    old: Old, address: str, capsys: Output
) -> None:
    assert await old.copy(address) == 1
    assert "`to`" in capsys.readouterr().err
    assert await old.frozen() is None


async def test_a_file_in_use_is_refused(
    old: Old, tmp_path: Path, emulator: WeChat, capsys: Output
) -> None:
    (tmp_path / "new").mkdir()
    async with running(write_config(tmp_path / "new", emulator.port)):
        assert await old.copy("sqlite:///new/tokens.db") == 1
    assert "new/tokens.db" in capsys.readouterr().err
    assert await old.frozen() is None


async def test_a_store_in_use_is_refused_and_nothing_is_frozen(
    old: Old, tmp_path: Path, emulator: WeChat, redis_server: RedisServer, capsys: Output
) -> None:
    (tmp_path / "new").mkdir()
    async with running(write_config(tmp_path / "new", emulator.port, store=redis_server.url)) as it:
        await it.token()
    assert await old.copy(redis_server.url, "--keys-out", "key") == 1
    assert "holds tokens already" in capsys.readouterr().err
    assert await old.frozen() is None
    assert not Path("key").exists()


async def test_no_file_of_keys_is_overwritten(
    old: Old, redis_server: RedisServer, capsys: Output
) -> None:
    Path("key").write_text("somebody's")
    assert await old.copy(redis_server.url, "--keys-out", "key") == 1
    assert "key exists already and is not overwritten" in capsys.readouterr().err
    assert Path("key").read_text() == "somebody's"
    assert await old.frozen() is None


async def test_keys_that_the_service_does_not_use_are_not_handed_on(
    old: Old, tmp_path: Path, redis_server: RedisServer, capsys: Output
) -> None:
    (tmp_path / "tokens.db.opaque-keys").write_text("changed-since-the-start-0123456789abcdef\n")
    assert await old.copy(redis_server.url, "--keys-out", "key") == 1
    assert "other keys for opaque tokens" in capsys.readouterr().err
    assert await old.frozen() is None
    assert not Path("key").exists()


async def test_the_address_may_come_from_a_variable(
    old: Old, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await old.command("store", "copy") == 64
    monkeypatch.setenv("TOKEN_SERVICE_COPY_TO", redis_server.url)
    assert await old.command("store", "copy") == 0


async def test_a_repeated_command_says_that_it_was_done(
    old: Old, redis_server: RedisServer, capsys: Output
) -> None:
    assert await old.copy(redis_server.url) == 0
    assert await old.copy(redis_server.url, "--keys-out", "key") == 0
    assert f"was copied before: {redis_server.url}" in capsys.readouterr().out
    assert Path("key").exists()


async def test_nobody_copies_or_thaws_without_the_admin_key(
    old: Old, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    monkeypatch.setenv("ZHONGKONG_ADMIN_KEY", "another-key-0123456789abcdefgh")
    assert await old.copy(redis_server.url) == 1
    assert await old.command("store", "thaw") == 1
    assert capsys.readouterr().err.count("wants the admin key") == 2
    assert await old.frozen() is None


async def test_a_copy_is_asked_for_on_the_services_own_machine(
    old: Old, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("token_service.internal.comes_from_here", lambda *_ends: False)
    status, problem = await old.ask("POST", COPIES_PATH, {"to": redis_server.url})
    assert (status, problem["title"]) == (403, "Not from here")
    assert await old.frozen() is None


@pytest.mark.parametrize(
    ("peer", "own", "headers", "from_here"),
    [
        ("127.0.0.1", "127.0.0.1", {}, True),
        ("::1", "::1", {}, True),
        pytest.param("192.0.2.7", "192.0.2.7", {}, True, id="listens on one address only"),
        ("192.0.2.8", "192.0.2.7", {}, False),
        (None, None, {}, False),
        pytest.param("127.0.0.1", "127.0.0.1", {"X-Forwarded-For": "192.0.2.8"}, False, id="proxy"),
        pytest.param("127.0.0.1", "127.0.0.1", {"Via": "1.1 here"}, False, id="another proxy"),
    ],
)
def test_from_here_is_what_no_proxy_handed_on(
    peer: str | None, own: str | None, headers: dict[str, str], from_here: bool
) -> None:
    assert comes_from_here(peer, own, headers) is from_here


async def test_one_copy_at_a_time(old: Old, redis_server: RedisServer) -> None:
    end_call = await old.begin_call()
    first = asyncio.ensure_future(old.ask("POST", COPIES_PATH, {"to": redis_server.url}))
    await old.eventually_frozen()
    status, problem = await old.ask("POST", COPIES_PATH, {"to": "sqlite:///another.db"})
    await end_call()
    assert (status, problem["title"]) == (409, "Not copied")
    assert "at work on a copy already" in problem["detail"]
    assert (await first)[0] == 200


async def test_a_copy_that_is_cut_off_by_a_stop_is_told_and_changes_nothing(
    tmp_path: Path, emulator: WeChat, redis_server: RedisServer
) -> None:
    path = old_config(tmp_path, emulator)
    with capture_logs() as lines:
        async with running(path) as it:
            await it.token()
            old = Old(path, it)
            await old.begin_call()
            copy = asyncio.ensure_future(old.ask("POST", COPIES_PATH, {"to": redis_server.url}))
            await old.eventually_frozen()
            it.stop.request("end of test")
            await asyncio.wait({copy})
        assert isinstance(copy.exception(), aiohttp.ClientError)
        (line,) = [line for line in lines if line["event"] == "store_copy_failed"]
        assert line["reason"] == "the service was stopped meanwhile"
        async with running(path) as it:
            assert await Old(path, it).frozen() is None


async def test_a_copy_goes_on_when_its_caller_hangs_up(old: Old, redis_server: RedisServer) -> None:
    with capture_logs() as lines:
        asking = asyncio.ensure_future(old.ask("POST", COPIES_PATH, {"to": redis_server.url}))
        async with asyncio.timeout(30):
            while not any(line["event"] == "store_copy_started" for line in lines):
                await asyncio.sleep(0)
        asking.cancel()
        assert (await old.eventually_frozen())["other"] == redis_server.url
        async with asyncio.timeout(30):
            while not any(line["event"] == "store_copied" for line in lines):
                await asyncio.sleep(0)


async def test_a_thaw_without_a_store_says_so(
    tmp_path: Path, emulator: WeChat, redis_server: RedisServer
) -> None:
    extra = f"admin_key_sha256: {digest_of_key(ADMIN)}\n"
    path = write_config(tmp_path, emulator.port, extra=extra, store=redis_server.url)
    async with AsyncExitStack() as stack:
        it = await stack.enter_async_context(running(path))
        await asyncio.to_thread(redis_server.stop)
        status, problem = await Old(path, it).ask("DELETE", FREEZE_PATH)
        await asyncio.to_thread(redis_server.start)
    assert (status, problem["title"]) == (503, "Store unavailable")


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"to": 5},
        {"to": ""},
        {"to": "redis://h" + "o" * 3000},
        {"to": "redis://h", "further": 1},
        {"to": "redis://h", "opaque_key_ids": "abc"},
        {"to": "redis://h", "opaque_key_ids": [1]},
        {"to": "redis://h", "opaque_key_ids": ["a"] * 65},
    ],
)
def test_a_body_that_asks_for_nothing_is_refused(body: object) -> None:
    with pytest.raises(Problem) as refusal:
        wish(body)
    assert refusal.value.status == 400
    assert "redis" not in refusal.value.detail


def test_a_wish_keeps_its_password_to_itself() -> None:
    assert PASSWORD not in repr(wish({"to": f"redis://:{PASSWORD}@h"}))
