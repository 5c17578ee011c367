from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from aiohttp import web

from callback_gateway import configured
from callback_gateway.answers import answer
from callback_gateway.authenticity import authenticate, read_query
from callback_gateway.cli import main
from callback_gateway.event import event_of
from callback_gateway.inbox.records import Selection
from tests.callback_gateway.internal_world import USER, World, internal_world
from tests.callback_gateway.settings_files import ADMIN, MINIMAL, TOKEN, loaded, write
from tests.fixtures.alone import alone_in
from tests.fixtures.redis import free_port
from zhongkong.runtime import logs
from zhongkong.runtime.clock import SystemClock
from zhongkong.runtime.listeners import Listener, Listeners
from zhongkong.wechat.catalogue import normalise
from zhongkong.wechat.passive_reply import TextReply
from zhongkong.wechat.push import parse

Output = pytest.CaptureFixture[str]
Handler = Callable[[web.Request], object]

WHY_NOT = "its type is 'event', and the route wants text"
CLICK = """\
<xml><ToUserName>gh_1</ToUserName><FromUserName>oUser</FromUserName>
<CreateTime>1700000000</CreateTime><MsgType>event</MsgType><Event>CLICK</Event>
<EventKey>BUY_IN</EventKey></xml>"""


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    alone_in(tmp_path, monkeypatch)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    """What is printed is the commands' own."""
    logs.configure("callback_gateway", stream=io.StringIO(), json=True)
    yield
    logs.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with internal_world(tmp_path) as it:
        yield it


@pytest.fixture
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHONGKONG_ADMIN_KEY", ADMIN)


async def command(*arguments: str) -> int:
    """Run a command beside the loop that serves it."""
    return await asyncio.to_thread(main, arguments)


# -- configuration and routes ---------------------------------------------------------------------


def test_a_good_configuration_is_called_good(tmp_path: Path, capsys: Output) -> None:
    path = write(tmp_path, MINIMAL + "  - {match: {type: txt}, notify: 'stream:crm'}\n")

    assert main(["config", "check", "--config", str(path)]) == 0
    shown = capsys.readouterr().out
    assert f"{path}:18: routes[3].notify[0].stream: has no effect yet" in shown
    assert f"{path}:18: routes[3].match.type: WeChat documents no type txt" in shown
    assert shown.endswith(f"{path}: good; accounts: 1, targets: 2, routes: 4\n")


def test_every_problem_is_a_line_with_file_and_line(tmp_path: Path, capsys: Output) -> None:
    path = write(tmp_path, MINIMAL + "lisen: 1\nlog_level: loud\n")

    assert main(["config", "check", "--config", str(path)]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"{path}:18: lisen: ")
    assert second.startswith(f"{path}:19: log_level: ")


def test_the_file_is_found_by_variable_or_in_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["config", "check"]) == 1
    path = write(tmp_path)
    assert main(["config", "check"]) == 0
    path.rename(tmp_path / "other.yaml")
    monkeypatch.setenv("CALLBACK_GATEWAY_CONFIG", "other.yaml")
    assert main(["config", "check"]) == 0


def test_run_with_a_bad_configuration_exits_1_without_a_traceback(
    tmp_path: Path, capsys: Output
) -> None:
    path = write(tmp_path, "accounts: 5\n")

    assert main(["run", "--config", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"{path}:1: accounts: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["run", "--nonsense"],
        ["config", "chek"],
        ["routes", "test"],
        ["targets", "enable"],
        ["dead-letters", "list", "--limit", "0"],
        ["dead-letters", "show"],
        ["dead-letters", "redrive"],
        ["dead-letters", "drop"],
        ["dead-letters", "drop", "evt_1.t", "--all"],
        ["dead-letters", "drop", "--all", "--target", "t"],
        ["send"],
        ["send", "--type", "event"],
        ["send", "--content", "x", "--key", "K"],
        ["send", "--content", "x", "--field", "MediaId"],
    ],
)
def test_a_misused_command_exits_64(arguments: list[str]) -> None:
    assert main(arguments) == 64


def test_a_test_of_routes_says_who_answers_and_why_not_the_others(
    tmp_path: Path, capsys: Output
) -> None:
    path = write(tmp_path)
    (tmp_path / "event.xml").write_text(CLICK)

    assert main(["routes", "test", "event.xml"]) == 0
    name = path.name
    assert capsys.readouterr().out.splitlines() == [
        "event CLICK of oUser to account shop",
        f"  {name}:10: {{type: event, event: CLICK, key: BUY_*}}: yes",
        f"  {name}:14: {{type: text, content: /^help$/i}}: no, {WHY_NOT}",
        f"  {name}:16: {{}}: yes",
        f"answer: target trading is asked, within 15 s, by {name}:10",
        "copies: audit",
    ]


def test_a_route_behind_the_one_that_answers_is_told_so(tmp_path: Path, capsys: Output) -> None:
    write(tmp_path, MINIMAL + "    reply: trading\n")
    (tmp_path / "event.xml").write_text(CLICK)

    assert main(["routes", "test", "event.xml"]) == 0
    assert "{}: yes, but a route above it answers already" in capsys.readouterr().out


def test_an_event_is_read_from_standard_input(
    tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    data = {
        "to_user_name": "gh_1",
        "from_user_name": "oUser\x1b[2J",
        "create_time": 1,
        "msg_type": "text",
        "content": "HELP",
        "msg_id": "1",
    }
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(data).encode()))
    monkeypatch.setattr("sys.stdin", stdin)

    assert main(["routes", "test", "-"]) == 0
    shown = capsys.readouterr().out
    assert "answer: the one that is configured, by callback_gateway.yaml:14" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file"), ("hello", "this is no event")]
)
def test_what_is_no_event_is_one_clear_line(
    tmp_path: Path, capsys: Output, content: str | None, why: str
) -> None:
    write(tmp_path)
    if content is not None:
        (tmp_path / "event").write_text(content)

    assert main(["routes", "test", "event"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("event: ")
    assert why in line


# -- the running gateway --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["dead-letters", "list"],
        ["dead-letters", "show", "evt_1.t"],
        ["dead-letters", "drop", "--all"],
        ["targets", "enable", "trading"],
    ],
)
def test_a_gateway_that_isn_t_there_is_one_clear_line(
    tmp_path: Path, capsys: Output, arguments: list[str]
) -> None:
    (tmp_path / "callback_gateway.yaml").write_text(f"internal_listen: 127.0.0.1:{free_port()}\n")

    assert main(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "no callback gateway answers" in line
    assert "callback-gateway run" in line


@pytest.mark.usefixtures("_key")
async def test_status_is_shown_as_tables(world: World, capsys: Output) -> None:
    world.metrics.answered("shop", "new", 0.01)
    world.metrics.clock_skew("shop", -900)
    await world.bury("evt_1")
    trading = world.rules.targets["trading"]
    await world.inbox.disable("trading", trading.fingerprint)
    await world.watch.look()

    assert await command("status") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "replica-1: ready" in shown
    assert "shop safe new 1 0 0 " in shown
    assert "trading disabled 0 0 - 1" in shown
    assert "store memory://: 1 of 100000 events, durability disk" in shown
    assert "target trading answered 410 and gets no more" in shown
    assert "shop: a callback's clock was -900 s from ours" in shown


@pytest.mark.usefixtures("_key")
async def test_status_before_the_first_look_at_the_store_makes_nothing_up(
    world: World, capsys: Output
) -> None:
    assert await command("status") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "trading enabled ? ? - ?" in shown


@pytest.mark.usefixtures("_key")
async def test_status_as_json_is_the_document(world: World, capsys: Output) -> None:
    assert await command("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["accounts"][0]["account"] == "shop"


async def test_the_admin_key_comes_from_a_variable_or_a_file(
    world: World, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file = world.config.parent / "admin.key"
    key_file.write_text(ADMIN + "\n")

    assert await command("status") == 1
    assert "ZHONGKONG_ADMIN_KEY" in capsys.readouterr().err
    assert await command("status", "--key-file", str(key_file)) == 0
    monkeypatch.setenv("ZHONGKONG_ADMIN_KEY", ADMIN)
    assert await command("status") == 0


@pytest.mark.usefixtures("_key")
async def test_dead_letters_are_listed_page_by_page(world: World, capsys: Output) -> None:
    for number in range(3):
        await world.bury(f"evt_{number}")

    assert await command("dead-letters", "list", "--limit", "2") == 0
    first = capsys.readouterr().out
    assert "evt_0.trading" in first
    assert "http_500" in first
    after = first.rpartition("--after ")[2].strip()
    assert await command("dead-letters", "list", "--after", after, "--json") == 0
    (letter,) = json.loads(capsys.readouterr().out)["dead_letters"]
    assert letter["id"] == "evt_2.trading"
    assert await command("dead-letters", "list", "--target", "audit", "--account", "shop") == 0
    assert "evt_" not in capsys.readouterr().out


@pytest.mark.usefixtures("_key")
async def test_one_is_shown_with_its_event(world: World, capsys: Output) -> None:
    identity = await world.bury("evt_1")

    assert await command("dead-letters", "show", identity) == 0
    assert json.loads(capsys.readouterr().out)["event"]["subject"] == USER
    assert await command("dead-letters", "show", "evt_9.x") == 1
    assert capsys.readouterr().err == "No dead letter has this id.\n"


@pytest.mark.usefixtures("_key")
async def test_redriven_and_dropped_ones_are_counted(world: World, capsys: Output) -> None:
    ids = [await world.bury(f"evt_{number}") for number in range(4)]

    assert await command("dead-letters", "redrive", ids[0], ids[1]) == 0
    assert capsys.readouterr().out == "redriven: 2\n"
    assert await command("dead-letters", "drop", "--target", "audit") == 0
    assert capsys.readouterr().out == "dropped: 0\n"
    assert await command("dead-letters", "drop", "--all") == 0
    assert capsys.readouterr().out == "dropped: 2\n"
    assert (await world.inbox.dead_letters(Selection())).letters == ()


@pytest.mark.usefixtures("_key")
async def test_a_target_is_enabled(world: World, capsys: Output) -> None:
    await world.inbox.disable("trading", "any")

    assert await command("targets", "enable", "trading") == 0
    assert capsys.readouterr().out.startswith("trading is enabled; ")
    assert await command("targets", "enable", "trading") == 0
    assert capsys.readouterr().out == "trading was not disabled\n"
    assert await command("targets", "enable", "other") == 1
    assert capsys.readouterr().err == "No target of this name is configured.\n"


# -- send -----------------------------------------------------------------------------------------


@asynccontextmanager
async def gateway(folder: Path, text: str, handler: Handler) -> AsyncIterator[list[dict[str, str]]]:
    """A listener that checks callbacks as the gateway does; `handler` answers."""
    found = loaded(folder, text)
    account = configured.rules(found).accounts["shop"]
    queries: list[dict[str, str]] = []

    async def receive(request: web.Request) -> web.StreamResponse:
        query = dict(parse_qsl(request.query_string))
        queries.append(query)
        body = await request.read()
        genuine = authenticate(
            account, read_query(query), body, now=SystemClock().now(), freshness_s=600
        )
        event = event_of(normalise(parse(genuine.content, genuine.form)), "shop")
        said = handler(request)
        if said is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if isinstance(said, web.StreamResponse):
            return said
        content = event.data.get("content", event.data.get("event_key"))
        rendered = answer(
            TextReply(f"{said} {content}"),
            event=event,
            request=genuine,
            account=account,
            now=int(SystemClock().now()),
            nonce="n0nce",
            noise="0123456789abcdef",
        )
        return web.Response(body=rendered.body)

    app = web.Application()
    app.router.add_post("/callback/shop", receive)
    async with await Listeners.open([Listener(app, "127.0.0.1", 0, "public")]) as listeners:
        path = folder / "callback_gateway.yaml"
        path.write_text(f"listen: 127.0.0.1:{listeners.port('public')}\n{text}")
        yield queries


PLAINTEXT = MINIMAL.replace("    aes_keys: [{file: aes}]\n", "    mode: plaintext\n")
COMPATIBLE = MINIMAL.replace("targets:", "    mode: compatible\ntargets:", 1)


@pytest.mark.parametrize("text", [MINIMAL, COMPATIBLE, PLAINTEXT])
async def test_a_callback_is_sent_as_wechat_would_and_its_answer_read(
    tmp_path: Path, capsys: Output, text: str
) -> None:
    async with gateway(tmp_path, text, lambda _: "you said") as queries:
        assert await command("send", "--account", "shop", "--content", "hi", "--user", "oMe") == 0

    shown = capsys.readouterr().out
    assert shown.startswith("status 200, try 1 of 3\n")
    assert "<![CDATA[you said hi]]>" in shown
    assert "<![CDATA[oMe]]>" in shown
    assert queries[0]["openid"] == "oMe"
    assert TOKEN not in shown


async def test_an_event_is_sent_by_its_name_and_key(tmp_path: Path, capsys: Output) -> None:
    async with gateway(tmp_path, MINIMAL, lambda _: "tapped"):
        assert await command("send", "--event", "CLICK", "--key", "BUY_IN") == 0

    assert "tapped BUY_IN" in capsys.readouterr().out


async def test_any_other_type_is_sent_with_its_fields(tmp_path: Path, capsys: Output) -> None:
    async with gateway(tmp_path, MINIMAL, lambda _: web.Response(text="success")):
        assert await command("send", "--type", "image", "--field", "MediaId=m1") == 0

    assert capsys.readouterr().out == "status 200, try 1 of 3\nsuccess\n"


async def test_a_try_left_without_an_answer_is_repeated(tmp_path: Path, capsys: Output) -> None:
    answers = [None, None, "at last"]
    async with gateway(tmp_path, MINIMAL, lambda _: answers.pop(0)) as queries:
        assert await command("send", "--content", "hi") == 0

    shown = capsys.readouterr()
    assert shown.out.startswith("status 200, try 3 of 3\n")
    assert shown.err.splitlines() == [
        "try 1 of 3: left without an answer",
        "try 2 of 3: left without an answer",
    ]
    assert len({query["nonce"] for query in queries}) == 3


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (lambda _: web.Response(status=503, text="full"), "status 503, try 1 of 3\nfull\n"),
        (lambda _: web.Response(text="<xml>"), "the answer can't be read"),
        (lambda _: None, "status None, try 3 of 3"),
    ],
)
async def test_what_wechat_would_not_take_exits_1(
    tmp_path: Path, capsys: Output, handler: Handler, says: str
) -> None:
    async with gateway(tmp_path, MINIMAL, handler):
        assert await command("send", "--content", "hi") == 1

    assert says in capsys.readouterr().out


@pytest.mark.parametrize("url", ["nonsense", "ftp://x", "http://[::1", "http://127.0.0.1:x"])
def test_a_bad_address_is_one_clear_line(tmp_path: Path, capsys: Output, url: str) -> None:
    write(tmp_path)

    assert main(["send", "--content", "hi", "--url", url]) == 1
    assert capsys.readouterr().err == "--url is the gateway's address, as http://127.0.0.1:8082\n"


def test_a_gateway_that_doesn_t_listen_is_one_clear_line(tmp_path: Path, capsys: Output) -> None:
    write(tmp_path, f"listen: 0.0.0.0:{free_port()}\n{MINIMAL}")

    assert main(["send", "--content", "hi"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("no gateway answers at http://127.0.0.1:")


def test_the_account_has_to_be_said_when_there_are_several(tmp_path: Path) -> None:
    second = "  - {name: bank, appid: wx2, tokens: [{file: old_token}], aes_keys: [{file: aes}]}\n"
    write(tmp_path, MINIMAL.replace("targets:", second + "targets:", 1))

    assert main(["send", "--content", "hi"]) == 64
    assert main(["send", "--content", "hi", "--account", "shp"]) == 64
