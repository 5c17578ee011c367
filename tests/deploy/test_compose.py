"""The world of deploy/compose is whole, pinned, and closed wherever it can be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
import redis

from tests.deploy.image_world import COMPOSE, SERVICES, compose
from tests.fixtures.processes import Child
from tests.fixtures.redis import HOST, READY, free_port
from tests.fixtures.tools import require_tool

if TYPE_CHECKING:
    from pathlib import Path

WORLD: Final = compose()
OURS: Final = (*SERVICES, "emulator")
KEYS: Final = {
    *("build", "cap_drop", "command", "depends_on", "environment", "healthcheck", "image", "init"),
    *("mem_limit", "networks", "pids_limit", "ports", "profiles", "read_only", "restart"),
    *("secrets", "security_opt", "stop_grace_period", "tmpfs", "user", "volumes"),
}
"""Of a service in the Compose Specification; those that are used here."""


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = WORLD["services"][name]
    return found


# ---------------------------------------------------------------------------------- compose.yaml


def test_the_services_are_redis_ours_and_the_emulator_as_a_profile() -> None:
    assert set(WORLD["services"]) == {"redis", *OURS}
    assert {name: service(name).get("profiles") for name in WORLD["services"]} == {
        **dict.fromkeys(["redis", *SERVICES]),
        "emulator": ["emulator"],
    }


@pytest.mark.parametrize("name", ["redis", *OURS])
def test_a_service_uses_only_keys_that_compose_knows(name: str) -> None:
    assert set(service(name)) <= KEYS


@pytest.mark.parametrize("name", ["redis", *OURS])
def test_a_service_may_do_nothing_that_it_need_not(name: str) -> None:
    it = service(name)

    assert it["read_only"] is True
    assert it["cap_drop"] == ["ALL"]
    assert it["security_opt"] == ["no-new-privileges:true"]
    assert int(it["user"].split(":")[0]) > 0
    assert it["pids_limit"] <= 128
    assert re.fullmatch(r"\d+[mg]", it["mem_limit"])
    assert [each.split(":")[0] for each in it["tmpfs"]] == ["/tmp"]


@pytest.mark.parametrize("name", ["redis", *OURS])
def test_an_image_is_pinned_by_version(name: str) -> None:
    assert re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+", service(name)["image"])


@pytest.mark.parametrize("name", OURS)
def test_ours_are_built_from_the_recipe_of_the_repository(name: str) -> None:
    build = service(name)["build"]

    assert (COMPOSE / build["context"] / build["dockerfile"]).is_file()


@pytest.mark.parametrize("name", ["redis", *OURS])
def test_what_a_service_refers_to_is_there(name: str) -> None:
    it = service(name)
    volumes = [each for each in it.get("volumes", ()) if isinstance(each, str)]

    assert set(it["networks"]) <= set(WORLD["networks"])
    assert {each["source"] for each in it.get("secrets", ())} <= set(WORLD["secrets"])
    assert {each.split(":")[0] for each in volumes} <= set(WORLD["volumes"])
    assert set(it.get("depends_on", ())) <= set(WORLD["services"])


def test_nothing_is_declared_that_no_service_uses() -> None:
    used = [service(name) for name in WORLD["services"]]

    assert {each for it in used for each in it["networks"]} == set(WORLD["networks"])
    assert {each["source"] for it in used for each in it.get("secrets", ())} == set(
        WORLD["secrets"]
    )


def test_what_waits_for_another_waits_until_it_is_healthy() -> None:
    for name in WORLD["services"]:
        for other, how in service(name).get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert service(other)["healthcheck"]["test"]


def test_only_the_token_service_and_the_emulator_reach_the_internet() -> None:
    no_way_out = {"com.docker.network.bridge.enable_ip_masquerade": "false"}
    shut: dict[str, Any] = {"back": {"internal": True}, "entrance": {"driver_opts": no_way_out}}
    outside = {name for name, how in WORLD["networks"].items() if shut.get(name) != how}

    assert {name for name in WORLD["services"] if outside & set(service(name)["networks"])} == {
        "emulator",
        "token-service",
    }


def test_redis_is_reached_by_the_three_services_alone() -> None:
    assert service("redis")["networks"] == ["back"]
    assert "ports" not in service("redis")
    assert {name for name in OURS if "back" in service(name)["networks"]} == set(SERVICES)


def test_ports_are_this_machines_alone_but_for_the_one_that_wechat_calls() -> None:
    ports = [port for name in WORLD["services"] for port in service(name).get("ports", ())]
    open_ones = [port for port in ports if not port.startswith("127.0.0.1:")]

    assert open_ones == ["${GATEWAY_PUBLISH:-127.0.0.1:8082}:8082"]


def test_redis_takes_its_command_and_keeps_what_durability_disk_promises(tmp_path: Path) -> None:
    program, *words = service("redis")["command"]
    port = free_port()
    where = ["--dir", str(tmp_path), "--bind", HOST, "--port", str(port)]
    server = Child([require_tool(program), *words, *where])
    try:
        server.wait_for_line(READY)
        with redis.Redis(host=HOST, port=port, decode_responses=True) as client:
            said: dict[str, Any] = client.config_get("*")
    finally:
        server.kill()

    assert (said["appendonly"], said["appendfsync"], said["save"]) == ("yes", "always", "")
    assert said["maxmemory-policy"] == "noeviction"
    assert service("redis")["mem_limit"] == "1g"
    assert 0 < int(said["maxmemory"]) <= 0.7 * 1024**3
