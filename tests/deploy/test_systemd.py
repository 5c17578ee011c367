"""The units of deploy/systemd are valid, confined, and fit the configuration made for them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.deploy.commands import run_here
from tests.deploy.image_world import COMPOSE, SERVICES, make_world
from token_service.settings import RotationSettings

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "deploy/systemd"
CONFINED: Final = {
    "CapabilityBoundingSet": "",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "NoNewPrivileges": "yes",
    "PrivateDevices": "yes",
    "PrivateTmp": "yes",
    "ProtectControlGroups": "yes",
    "ProtectHome": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectSystem": "strict",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "StateDirectoryMode": "0700",
    "SystemCallArchitectures": "native",
    "UMask": "0077",
}
EXPOSED_AT_MOST: Final = 20
"""In tenths of systemd's own figure, which it calls OK below 3.0 to 5.0."""
WITHOUT_WRITABLE_CODE: Final = """
import ctypes, importlib, sys
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
if ctypes.CDLL(None).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
    sys.exit(77)
for name in sys.argv[1:]:
    importlib.import_module(name)
import re2
assert re2.search("b+", "abbc")
"""


def settings_of(name: str) -> dict[str, list[str]]:
    """Every key of a unit with its values, in order; sections share none."""
    found: dict[str, list[str]] = {}
    for line in (FOLDER / f"{name}.service").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "[")):
            key, equals, value = line.partition("=")
            assert equals, line
            found.setdefault(key, []).append(value)
    return found


def seconds(text: str) -> float:
    assert text.endswith("s"), text
    return float(text.removesuffix("s"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What README.md lets make-keys.sh write into /etc/zhongkong."""
    folder = tmp_path_factory.mktemp("etc") / "zhongkong"
    templates = ["--templates", str(FOLDER / "templates")]
    make_world(folder, *templates, "wx00112233aabbccdd", answer="an-app-secret\n")
    return folder


def config_of(folder: Path, name: str) -> Path:
    return folder / f"{name.replace('-', '_')}.yaml"


# -------------------------------------------------------------------------------------- the units


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The units with the commands of this checkout, whose presence systemd verifies."""
    folder = tmp_path_factory.mktemp("units")
    for name in SERVICES:
        text = (FOLDER / f"{name}.service").read_text(encoding="utf-8")
        commands = sysconfig.get_path("scripts")
        text = text.replace("/opt/zhongkong/bin", commands)
        (folder / f"{name}.service").write_text(text, encoding="utf-8")
    return [str(path) for path in sorted(folder.iterdir())]


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed: the other tests here stand in for it")
    return subprocess.run([program, *words], check=False, capture_output=True, text=True)


def test_systemd_takes_the_units(here: list[str]) -> None:
    done = analyze("verify", "--man=no", *here)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_systemd_finds_little_exposed(here: list[str], name: str) -> None:
    [path] = [each for each in here if each.endswith(f"/{name}.service")]
    done = analyze("security", "--offline=yes", f"--threshold={EXPOSED_AT_MOST}", path)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze can't look at files")

    assert done.returncode == 0, done.stdout[-300:] + done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_may_do_nothing_that_it_need_not(name: str) -> None:
    found = settings_of(name)

    assert {key: found.get(key) for key in CONFINED} == {
        key: [value] for key, value in CONFINED.items()
    }
    assert found["SystemCallFilter"] == ["@system-service", "~@privileged"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_starts_the_command_of_its_name(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert settings_of(name)["ExecStart"] == [f"/opt/zhongkong/bin/{name} run"]
    assert name in project["scripts"]


@pytest.mark.parametrize("name", SERVICES)
def test_each_has_a_user_and_a_folder_of_its_own(name: str) -> None:
    found = settings_of(name)
    users = (FOLDER / "zhongkong.conf").read_text(encoding="utf-8").splitlines()
    made = {words[1]: words[-1] for line in users if (words := line.split())[0] == "u"}

    assert found["User"] == found["Group"] == [name]
    assert found["StateDirectory"] == [f"zhongkong/{name}"]
    assert made[name] == f"/var/lib/zhongkong/{name}"


def test_only_the_token_service_reaches_the_internet() -> None:
    shut = {
        name
        for name in SERVICES
        if settings_of(name).get("IPAddressDeny") == ["any"]
        and settings_of(name).get("IPAddressAllow") == ["localhost"]
    }

    assert shut == {"callback-gateway", "menu-worker"}


@pytest.mark.parametrize("name", SERVICES)
def test_it_is_started_again_after_a_failure_for_as_long_as_it_takes(name: str) -> None:
    found = settings_of(name)

    assert found["Restart"] == ["on-failure"]
    assert found["StartLimitIntervalSec"] == ["0"]


def test_the_services_run_where_no_memory_is_ever_writable_and_executable() -> None:
    modules = ["token_service.app", "callback_gateway.app", "menu_worker.app"]
    words = [sys.executable, "-c", WITHOUT_WRITABLE_CODE, *modules]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode == 77:
        pytest.skip("this kernel can't forbid it: Linux 6.3 can")

    assert (done.returncode, done.stderr) == (0, "")


# ------------------------------------------------------------------------------ the configuration


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_names_the_configuration_that_is_made_for_it(made: Path, name: str) -> None:
    variable = f"{name.upper().replace('-', '_')}_CONFIG"

    assert (
        f"{variable}=/etc/zhongkong/{config_of(made, name).name}"
        in settings_of(name)["Environment"]
    )
    assert config_of(made, name).is_file()


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_brings_exactly_the_secrets_that_its_configuration_names(
    made: Path, name: str
) -> None:
    config = config_of(made, name).read_text(encoding="utf-8")
    asked = re.findall(r"^[^#\n]*\{file: (\S+?)\}", config, re.MULTILINE)
    brought = dict(each.split(":", 1) for each in settings_of(name)["LoadCredential"])

    assert {f"/run/credentials/{name}.service/{each}" for each in brought} == set(asked)
    for each, path in brought.items():
        assert path == f"/etc/zhongkong/secrets/{each}"
        assert (made / "secrets" / each).is_file()


@pytest.mark.parametrize("name", SERVICES)
def test_a_made_configuration_is_good(
    made: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = config_of(made, name).read_text(encoding="utf-8")
    text = text.replace(f"/run/credentials/{name}.service", str(made / "secrets"))
    file = tmp_path / config_of(made, name).name
    file.write_text(text, encoding="utf-8")

    done = run_here(capsys, name, "config", "check", "--config", str(file))

    assert (done.code, done.err) == (0, ""), done.out
    assert ": good; " in done.out


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_stores_lies_in_its_own_folder(made: Path, name: str) -> None:
    config = yaml.safe_load(config_of(made, name).read_text(encoding="utf-8"))

    assert config["store"].startswith(f"sqlite:////var/lib/zhongkong/{name}/")


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_listens_beyond_this_machine(made: Path, name: str) -> None:
    config = yaml.safe_load(config_of(made, name).read_text(encoding="utf-8"))

    for key in {"listen", "internal_listen"} & set(config):
        assert config[key].startswith("127.0.0.1:")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_given_longer_to_end_than_it_takes(made: Path, name: str) -> None:
    config = yaml.safe_load(config_of(made, name).read_text(encoding="utf-8"))
    [given] = settings_of(name)["TimeoutStopSec"]

    assert seconds(given) >= seconds(config.get("grace", "8s")) + 5
    assert settings_of(name)["KillSignal"] == ["SIGTERM"]


def test_a_call_to_wechat_under_way_may_end(made: Path) -> None:
    config = yaml.safe_load(config_of(made, "token-service").read_text(encoding="utf-8"))

    assert seconds(config["grace"]) > RotationSettings().call_deadline


def test_these_templates_are_for_a_real_account(tmp_path: Path) -> None:
    words = ["sh", str(COMPOSE / "make-keys.sh"), "--templates", str(FOLDER / "templates")]
    done = subprocess.run(
        [*words, "--into", str(tmp_path / "etc")], check=False, capture_output=True, text=True
    )

    assert done.returncode == 64
    assert "name its AppID" in done.stderr
    assert not (tmp_path / "etc").exists()


def test_a_configuration_that_is_there_gets_no_keys_that_it_does_not_know(tmp_path: Path) -> None:
    there = tmp_path / "token_service.yaml"
    there.write_text("mine\n", encoding="utf-8")
    words = ["sh", str(COMPOSE / "make-keys.sh"), "--templates", str(FOLDER / "templates")]
    done = subprocess.run(
        [*words, "--into", str(tmp_path), "wx1"], check=False, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert f"{there} is there already" in done.stderr
    assert list(tmp_path.iterdir()) == [there]


def test_the_readme_tells_how_each_file_is_installed() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")

    for name in (*(f"{each}.service" for each in SERVICES), "zhongkong.conf", "templates"):
        assert name in text
    assert str(COMPOSE.relative_to(ROOT) / "make-keys.sh") in text
