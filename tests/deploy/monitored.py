"""The three services as real processes, with enough behind them that every metric has a series.

Prometheus's place is taken by `scrape`, which shows the metrics key and no other. What is done with
a scrape is in the tests.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.chaos.emulated import EmulatorProcess, emulator_process
from tests.fixtures.processes import Child
from tests.fixtures.redis import HOST, RedisServer, free_port

SERVICES: Final = ("token_service", "callback_gateway", "menu_worker")

APPID: Final = "wx0123456789abcdef"
BARRED_APPID: Final = "wxfedcba9876543210"
SECRET: Final = "0123456789abcdef0123456789abcdef"
ORDERS_KEY: Final = "orders-key-0123456789abcdefghijkl"
ADMIN_KEY: Final = "admin-key-0123456789abcdefghijklmn"
METRICS_KEY: Final = "metrics-key-0123456789abcdefghijkl"
SIGNING: Final = "whsec_" + "c2NyYXBlZCBhbmQgc2NyYXBlZCBhZ2Fpbg=="
TOKEN: Final = "spamtest"
AES_KEY: Final = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
NEXT_AES_KEY: Final = "GFEDCBA9876543210zyxwvutsrqponmlkjihgfedcba"
WAITS_S: Final = 30.0
_OPENED: Final = '"name":"internal"'
_LOOK_EVERY_S: Final = 0.1
_ANSWER_S: Final = 25.0

Families = dict[str, Metric]


class Monitored:
    """The services of one folder. `start` returns when all are ready, `end` kills them."""

    def __init__(self, folder: Path, emulator: EmulatorProcess, redis: RedisServer) -> None:
        self.folder = folder
        self._emulator = emulator
        self._ports = {name: free_port() for name in (*SERVICES, "tokens", "callbacks")}
        self._children: list[Child] = []
        self._silent = socket.create_server((HOST, 0))
        for name, text in (("secret", SECRET), ("orders.key", ORDERS_KEY), ("signing", SIGNING)):
            (folder / name).write_text(text)
        for name, text in (("token", TOKEN), ("aes_key", AES_KEY), ("next_aes_key", NEXT_AES_KEY)):
            (folder / name).write_text(text)
        (folder / "next_token").write_text("thenexttoken")
        self._configure("token_service", self._tokens())
        self._configure("callback_gateway", self._gateway(redis.url))
        self._configure("menu_worker", self._menus())
        self.desire("BUY_IN")

    def start(self) -> None:
        # Without a token the menu worker waits for seconds before it tries again.
        for together in (("token_service", "callback_gateway"), ("menu_worker",)):
            begun = {name: self._start(name) for name in together}
            for name, child in begun.items():
                child.wait_for_line(_OPENED, timeout_s=WAITS_S)
                until(partial(self._is_ready, name), f"{name} is ready")

    def end(self) -> None:
        for child in self._children:
            child.kill()
        self._silent.close()

    def scrape(self, service: str) -> str:
        """What Prometheus gets from this service, with the key that opens nothing else."""
        return self._internal("GET", service, "/metrics", METRICS_KEY).decode()

    def status_of(self, service: str, path: str, key: str) -> int:
        """The HTTP status of a GET with this key."""
        try:
            self._internal("GET", service, path, key)
        except HTTPError as error:
            return error.code
        return 200

    def desire(self, key: str) -> None:
        """Put another menu into the desired file."""
        button = {"type": "click", "name": "买入", "key": key}
        beside = self.folder / "shop.yaml.new"
        beside.write_text(json.dumps({"account": "shop", "button": [button]}))
        beside.replace(self.folder / "shop.yaml")

    def live(self) -> None:
        """Have of everything a little: calls, reports, callbacks, dead letters, drift."""
        token = json.loads(self._orders("GET", "/tokens/access_token"))
        report = {"version": token["version"], "errcode": 40001}
        self._orders("POST", "/tokens/access_token/rejections", report)
        self._orders("GET", "/wechat/cgi-bin/getcallbackip")
        self._push({"text": "help", "course": {"duplicates": 1}})
        self._push({"click": "BUY_IN"})
        self._push({"text": "to a handler that is silent"})
        self._push({"text": "and to it again"})
        self._push({"text": "x", "course": {"attack": "wrong_token"}})
        self._push({"text": "x", "course": {"attack": "stale_timestamp"}})
        self._control("PUT", f"/accounts/{APPID}/console-menu", {"button": [_CONSOLE_BUTTON]})
        self._internal("POST", "menu_worker", "/v1/reconcile", ADMIN_KEY)

    def _start(self, name: str) -> Child:
        words = [sys.executable, "-m", name, "run", "--config", f"{self.folder}/{name}.yaml"]
        self._children.append(Child(words, environ=os.environ))
        return self._children[-1]

    def _tokens(self) -> dict[str, Any]:
        secret = {"file": "secret"}
        orders = {
            "name": "orders",
            "key_sha256": _digest(ORDERS_KEY),
            "accounts": ["shop"],
            "verbs": ["read", "report", "proxy"],
            "proxy_paths": ["/cgi-bin/**"],
        }
        return {
            "listen": f"{HOST}:{self._ports['tokens']}",
            "store": "sqlite:///var/token_service.db",
            # Nobody listens at the first: calls move to the second, and that is counted.
            "wechat": {"base_urls": [f"http://{HOST}:{free_port()}", self._emulator.url]},
            "accounts": [
                {"name": "shop", "appid": APPID, "secret": secret, "tickets": ["jsapi"]},
                {"name": "barred", "appid": BARRED_APPID, "secret": secret},
            ],
            "clients": [orders],
        }

    def _gateway(self, store: str) -> dict[str, Any]:
        silent = f"http://{HOST}:{self._silent.getsockname()[1]}/"
        nobody = f"http://{HOST}:{free_port()}/"
        secret = {"file": "signing"}
        return {
            "listen": f"{HOST}:{self._ports['callbacks']}",
            "store": store,
            "spool": "sqlite:///spool.db",
            "durability": "process",
            "schedule": ["1h"],
            "grace": "1s",
            "drain": "0s",
            "accounts": [
                {
                    "name": "shop",
                    "appid": APPID,
                    "tokens": [{"file": "next_token"}, {"file": "token"}],
                    "aes_keys": [{"file": "next_aes_key"}, {"file": "aes_key"}],
                }
            ],
            "targets": {
                "trading": {"url": nobody, "secret": secret},
                "audit": {"url": nobody, "secret": secret},
                "silent": {"url": silent, "secret": secret, "concurrency": 1},
            },
            "routes": [
                {"match": {"event": "CLICK"}, "reply": "trading", "notify": "audit"},
                {
                    "match": {"content": "help"},
                    "reply": {"type": "text", "content": "您好"},
                },
                {"match": {}, "notify": ["silent"]},
            ],
        }

    def _menus(self) -> dict[str, Any]:
        return {
            "store": "sqlite:///var/menu_worker.db",
            "token_service": {
                "url": f"http://{HOST}:{self._ports['tokens']}",
                "key": {"file": "orders.key"},
            },
            "menus": ["shop.yaml"],
        }

    def _configure(self, service: str, settings: Mapping[str, Any]) -> None:
        document = {
            "internal_listen": f"{HOST}:{self._ports[service]}",
            "admin_key_sha256": _digest(ADMIN_KEY),
            "metrics_key_sha256": _digest(METRICS_KEY),
            **settings,
        }
        (self.folder / f"{service}.yaml").write_text(json.dumps(document, indent=1))

    def _is_ready(self, service: str) -> bool:
        try:
            return bool(self._internal("GET", service, "/readyz", ADMIN_KEY))
        except OSError:
            return False

    def _orders(self, method: str, path: str, body: object = None) -> bytes:
        url = f"http://{HOST}:{self._ports['tokens']}/v1/accounts/shop{path}"
        return _ask(method, url, body, ORDERS_KEY)

    def _push(self, push: Mapping[str, Any]) -> None:
        course = {"tries": 1, **push.get("course", {})}
        path = f"/accounts/{APPID}/pushes?wait_s=20"
        self._control("POST", path, {"user": "oXiaoMing", **push, "course": course})

    def _control(self, method: str, path: str, body: object) -> None:
        _ask(method, f"{self._emulator.url}/_emulator{path}", body)

    def _internal(self, method: str, service: str, path: str, key: str) -> bytes:
        return _ask(method, f"http://{HOST}:{self._ports[service]}{path}", None, key)

    def callback_url(self) -> str:
        return f"http://{HOST}:{self._ports['callbacks']}/callback/shop"

    def subscribe(self) -> None:
        """Tell WeChat where the gateway is."""
        callback = {"url": self.callback_url(), "token": TOKEN, "aes_key": AES_KEY}
        self._control("PUT", f"/accounts/{APPID}/callback", callback)


_CONSOLE_BUTTON: Final = {"type": "text", "name": "营业时间", "value": "9:00 - 18:00"}
_SETUP: Final = {
    "accounts": [
        {"appid": APPID, "secret": SECRET},
        # Another secret than the configured one.
        {"appid": BARRED_APPID, "secret": SECRET[::-1]},
    ]
}


@contextmanager
def monitored(folder: Path) -> Iterator[Monitored]:
    """Everything, running, with a little of everything done."""
    with ExitStack() as stack:
        redis = RedisServer(folder / "redis")
        redis.start()
        stack.callback(redis.kill)
        emulator = stack.enter_context(emulator_process(folder / "emulator", _SETUP))
        world = Monitored(folder, emulator, redis)
        stack.callback(world.end)
        world.start()
        world.subscribe()
        world.live()
        yield world


def families_of(text: str) -> Families:
    """A scrape by the names of its families; a counter's goes without `_total`."""
    return {family.name: family for family in text_string_to_metric_families(text)}


def until(condition: Callable[[], bool], what: str) -> None:
    """Look again and again until it holds; fails after WAITS_S."""
    pause = threading.Event()
    for _ in range(int(WAITS_S / _LOOK_EVERY_S)):
        if condition():
            return
        pause.wait(_LOOK_EVERY_S)
    raise AssertionError(f"in {WAITS_S} s it did not come true that {what}")


def _ask(method: str, url: str, body: object, key: str = "") -> bytes:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with urlopen(Request(url, data, headers, method=method), timeout=_ANSWER_S) as answer:
        read: bytes = answer.read()
        return read


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
