"""What deploy/compose/make-keys.sh makes is good, fits compose.yaml, and stays where it belongs."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from tests.deploy.commands import run_here
from tests.deploy.image_world import COMPOSE, SERVICES, make_world
from tests.deploy.manifests import KUBERNETES
from tests.deploy.test_compose import OURS, WORLD, service
from tests.fixtures.tools import require_tool
from token_service.settings import RotationSettings
from zhongkong.runtime.healthcheck import VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

MOUNTED: Final = "/run/secrets/zhongkong"


def config_of(folder: Path, name: str) -> Path:
    return folder / "config" / name / f"{name.replace('-', '_')}.yaml"


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What make-keys.sh makes without an AppID."""
    folder = tmp_path_factory.mktemp("emulated") / "made"
    make_world(folder)
    return folder


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What it makes for an account."""
    folder = tmp_path_factory.mktemp("real") / "made"
    make_world(folder, "wx00112233aabbccdd", answer="an-app-secret\n")
    return folder


@pytest.fixture(params=["emulated", "real"])
def made(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder


def answers(*words: str) -> bool:
    return subprocess.run(words, check=False, capture_output=True).returncode == 0


def test_docker_compose_takes_the_file(emulated: Path, tmp_path: Path) -> None:
    words = ["docker", "compose"]
    if shutil.which("docker") is None or not answers(*words, "version"):
        pytest.skip("docker compose is not installed: the other tests here stand in for it")
    shutil.copy(COMPOSE / "compose.yaml", tmp_path)
    shutil.copytree(emulated, tmp_path, dirs_exist_ok=True)
    done = subprocess.run(
        [*words, "config", "--quiet"], check=False, cwd=tmp_path, capture_output=True, text=True
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_made_configuration_is_good(
    made: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(config_of(made, name).parent, tmp_path, dirs_exist_ok=True)
    file = tmp_path / config_of(made, name).name
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(MOUNTED, str(made / "secrets")), encoding="utf-8")

    done = run_here(capsys, name, "config", "check", "--config", str(file))

    assert (done.code, done.err) == (0, ""), done.out
    assert ": good; " in done.out


def test_the_made_menu_is_valid_and_its_keys_are_answered(
    emulated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = config_of(emulated, "callback-gateway")
    menu = config_of(emulated, "menu-worker").parent / "menus/shop.yaml"

    done = run_here(capsys, "menu-worker", "validate", "--routes", str(gateway), str(menu))

    assert (done.code, done.err) == (0, ""), done.out


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_given_exactly_the_secrets_that_its_configuration_names(
    made: Path, name: str
) -> None:
    text = config_of(made, name).read_text(encoding="utf-8")
    targets = {each["target"]: each["source"] for each in service(name)["secrets"]}

    assert set(re.findall(rf"\{{file: ({MOUNTED}/[^}}]+)\}}", text)) == set(targets)
    assert targets == {f"{MOUNTED}/{source}": source for source in targets.values()}


def test_every_secret_of_compose_is_made(made: Path) -> None:
    for name, how in WORLD["secrets"].items():
        assert how == {"file": f"./secrets/{name}"}
        assert (made / how["file"]).read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("name", OURS)
def test_a_service_finds_its_configuration_where_the_image_looks(emulated: Path, name: str) -> None:
    mounts = [each for each in service(name)["volumes"] if isinstance(each, dict)]

    assert mounts == [
        {
            "type": "bind",
            "source": f"./config/{name}",
            "target": "/etc/zhongkong",
            "read_only": True,
        }
    ]
    assert config_of(emulated, name).is_file()


@pytest.mark.parametrize("name", SERVICES)
def test_the_health_check_asks_the_internal_listener(emulated: Path, name: str) -> None:
    config = yaml.safe_load(config_of(emulated, name).read_text(encoding="utf-8"))
    port = config["internal_listen"].rpartition(":")[2]

    assert service(name)["environment"][VARIABLE] == f"http://127.0.0.1:{port}/readyz"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_given_longer_to_end_than_it_takes(emulated: Path, name: str) -> None:
    config = yaml.safe_load(config_of(emulated, name).read_text(encoding="utf-8"))
    grace = float(config.get("grace", "8s").removesuffix("s"))

    assert float(service(name)["stop_grace_period"].removesuffix("s")) >= grace + 5


def test_a_call_to_wechat_under_way_may_end(made: Path) -> None:
    config = yaml.safe_load(config_of(made, "token-service").read_text(encoding="utf-8"))

    assert float(config["grace"].removesuffix("s")) > RotationSettings().call_deadline


@pytest.mark.parametrize("name", SERVICES)
def test_what_listens_on_every_interface_wants_an_admin_key(made: Path, name: str) -> None:
    config = yaml.safe_load(config_of(made, name).read_text(encoding="utf-8"))

    assert config["internal_listen"].startswith("0.0.0.0:")
    assert re.fullmatch("[0-9a-f]{64}", config["admin_key_sha256"])


def test_no_secret_stands_in_a_configuration_but_the_emulators(made: Path) -> None:
    secrets = [path.read_text(encoding="utf-8").strip() for path in (made / "secrets").iterdir()]
    files = [path for path in (made / "config").rglob("*.yaml") if path.parent.name != "emulator"]

    for path in [*files, made / ".env"]:
        text = path.read_text(encoding="utf-8")
        assert [secret for secret in secrets if secret in text] == []


def test_no_placeholder_is_left(made: Path) -> None:
    for path in [*(made / "config").rglob("*.yaml"), made / ".env"]:
        assert re.findall(r"<[a-z].*?>", path.read_text(encoding="utf-8")) == [], path


def test_no_two_keys_are_the_same(made: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (made / "secrets").iterdir()]

    assert len(set(texts)) == len(texts)
    assert all(len(text) > 30 for text in texts if text != "an-app-secret\n")


def test_only_their_owner_gets_at_the_secrets(made: Path) -> None:
    assert stat.S_IMODE((made / "secrets").stat().st_mode) == 0o700


def test_a_container_may_read_what_is_mounted(made: Path) -> None:
    """Docker mounts files as they are, and the container's user is not the one who made them."""
    paths = [*(made / "config").rglob("*"), *(made / "secrets").iterdir()]

    assert [path for path in paths if not path.stat().st_mode & stat.S_IROTH] == []


def test_the_emulated_world_and_the_real_one_share_no_store(emulated: Path, real: Path) -> None:
    projects = [variables(folder)["COMPOSE_PROJECT_NAME"] for folder in (emulated, real)]

    assert len(set(projects)) == 2


def test_the_profile_of_the_emulator_goes_with_its_address(emulated: Path, real: Path) -> None:
    asked = [
        yaml.safe_load(config_of(folder, "token-service").read_text(encoding="utf-8"))["wechat"]
        for folder in (emulated, real)
    ]

    assert [variables(folder)["COMPOSE_PROFILES"] for folder in (emulated, real)] == [
        "emulator",
        "",
    ]
    assert asked == [
        {"base_urls": ["http://emulator:8080"]},
        {"base_urls": ["https://api.weixin.qq.com"]},
    ]


def test_a_real_account_gets_no_menu_that_is_not_its_own(real: Path) -> None:
    assert list((real / "config/menu-worker/menus").iterdir()) == []
    assert not (real / "config/emulator").exists()


def test_the_app_secret_is_kept_as_it_was_typed(real: Path) -> None:
    assert (real / "secrets/shop.secret").read_text(encoding="utf-8") == "an-app-secret\n"


def test_what_pasting_adds_to_an_app_secret_is_left_out(tmp_path: Path) -> None:
    make_world(tmp_path, "wx1", answer=" an-app-secret\r\n")

    assert (tmp_path / "secrets/shop.secret").read_text(encoding="utf-8") == "an-app-secret\n"


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    make_world(tmp_path / "it's $HOME | a folder")

    assert (tmp_path / "it's $HOME | a folder/config/emulator/emulator.yaml").is_file()


def variables(folder: Path) -> dict[str, str]:
    lines = (folder / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def refused(folder: Path, *arguments: str) -> tuple[int, str]:
    words = ["sh", str(COMPOSE / "make-keys.sh"), "--into", str(folder), *arguments]
    done = subprocess.run(words, check=False, input="", text=True, capture_output=True)
    return done.returncode, done.stderr


def test_what_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    make_world(tmp_path / "made")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    code, said = refused(tmp_path / "made")

    assert code == 1
    assert "secrets is there already" in said
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        pytest.param(["wx 1"], 64, "is not an AppID", id="an AppID with a space"),
        pytest.param([""], 64, "is not an AppID", id="a variable that is empty"),
        pytest.param(["--templates", "/nowhere"], 1, "no templates", id="no templates"),
        pytest.param(["--help"], 64, "usage: make-keys.sh", id="an unknown option"),
        pytest.param(["wx1"], 1, "no AppSecret was given", id="no AppSecret"),
    ],
)
def test_a_mistake_makes_nothing(
    tmp_path: Path, arguments: list[str], code: int, says: str
) -> None:
    told = refused(tmp_path / "made", *arguments)

    assert told[0] == code
    assert says in told[1]
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("script", [COMPOSE / "make-keys.sh", KUBERNETES / "make-keys.sh"])
@pytest.mark.parametrize("missing", ["sha256sum and shasum", "od"])
def test_without_a_program_that_it_needs_it_makes_nothing(
    tmp_path: Path, script: Path, missing: str
) -> None:
    """An empty key or digest would be found out much later."""
    work = tmp_path / "work"
    shutil.copytree(script.parent, work, ignore=shutil.ignore_patterns("*.key", "*.acl"))
    programs = tmp_path / "bin"
    programs.mkdir()
    needed = "base64 basename cat cut dd dirname find grep mkdir mv od rm sed sha256sum sort tr"
    for name in set(needed.split()) - set(missing.split()):
        (programs / name).symlink_to(require_tool(name))
    before = sorted(path for path in work.rglob("*"))
    done = subprocess.run(
        ["/bin/sh", str(work / "make-keys.sh")],
        check=False,
        capture_output=True,
        text=True,
        env={"PATH": str(programs)},
    )

    assert done.returncode == 1
    assert "nothing was made" in done.stderr
    assert sorted(path for path in work.rglob("*")) == before


def test_what_it_makes_beside_itself_is_ignored_by_git() -> None:
    ignored = (COMPOSE / ".gitignore").read_text(encoding="utf-8").split()

    assert {"/.env", "/config/", "/secrets/"} <= set(ignored)
