"""The configuration files that are mounted: each service takes its own, and the pod fits it."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from callback_gateway.settings import GatewaySettings
from menu_worker.settings import MenuWorkerSettings
from tests.deploy.commands import Ended, run_here
from tests.deploy.manifests import CLUSTERS, KUBERNETES, SERVICES, cluster, documented_secrets
from tests.deploy.pod_files import Keys, PodFiles, lay_out, sample_keys, with_digests
from token_service.settings import TokenServiceSettings
from zhongkong.runtime.settings import Loaded, load

UNWINDING_S = 5
"""After the grace: what was cut off is cancelled (1 s), threads end (2 s), logs are flushed."""

SETTINGS: dict[str, Any] = {
    "token-service": (TokenServiceSettings, "TOKEN_SERVICE"),
    "callback-gateway": (GatewaySettings, "CALLBACK_GATEWAY"),
    "menu-worker": (MenuWorkerSettings, "MENU_WORKER"),
}

Check = Callable[[PodFiles], Ended]

every_service = pytest.mark.parametrize("service", SERVICES)
every_cluster = pytest.mark.parametrize("name", CLUSTERS)


def laid_out(name: str, service: str, folder: Path) -> PodFiles:
    found = cluster(name)
    return lay_out(found, found.running(service), folder, sample_keys())


def settings_of(name: str, service: str, folder: Path) -> Loaded[Any]:
    files = laid_out(name, service, folder)
    model, prefix = SETTINGS[service]
    return load(model, Path(files.environ[f"{prefix}_CONFIG"]), files.environ, prefix=prefix)


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """`config check` of the container's program, with the container's variables."""

    def checked(files: PodFiles) -> Ended:
        for name, value in files.environ.items():
            monkeypatch.setenv(name, value)
        return run_here(capsys, files.module, "config", "check")

    return checked


@every_service
@every_cluster
def test_config_check_is_content(tmp_path: Path, check: Check, name: str, service: str) -> None:
    done = check(laid_out(name, service, tmp_path))
    assert done.code == 0, done.err
    assert "no effect yet" not in done.out


@every_service
@pytest.mark.parametrize("name", ["single", "ha"])
def test_what_make_keys_was_not_run_on_is_refused_line_by_line(
    tmp_path: Path, check: Check, name: str, service: str
) -> None:
    found = cluster(name)
    [given] = found.config_map(f"{service}-config").values()
    waiting = [
        number for number, line in enumerate(given.splitlines(), 1) if 'sha256: "<sha256 of' in line
    ]

    done = check(lay_out(found, found.running(service), tmp_path, sample_keys(), filled=False))

    assert done.code == 1
    refused = [line for line in done.err.splitlines() if "must be the SHA-256 of the key" in line]
    assert [int(line.split(":")[1]) for line in refused] == waiting
    assert len(waiting) >= 2


@every_service
@every_cluster
def test_the_ports_of_a_pod_are_those_that_its_program_opens_to_the_network(
    tmp_path: Path, name: str, service: str
) -> None:
    workload = cluster(name).running(service)
    settings = settings_of(name, service, tmp_path).settings
    listeners = {"internal": settings.internal_listen}
    if service != "menu-worker":
        listeners["http" if service == "token-service" else "public"] = settings.listen
    assert {each.host for each in listeners.values()} == {"0.0.0.0"}
    opened = {key: each.port for key, each in listeners.items()}
    assert workload.ports == ({} if workload.kind == "Job" else opened)


@every_service
@every_cluster
def test_an_internal_listener_that_others_reach_needs_a_key(
    tmp_path: Path, name: str, service: str
) -> None:
    settings = settings_of(name, service, tmp_path).settings
    assert settings.admin_key_sha256 is not None
    assert settings.metrics_key_sha256 is not None


@every_service
@every_cluster
def test_a_pod_gets_the_time_that_an_orderly_end_takes(
    tmp_path: Path, name: str, service: str
) -> None:
    workload = cluster(name).running(service)
    settings = settings_of(name, service, tmp_path).settings
    hooks = workload.container.get("lifecycle", {})
    asleep = hooks["preStop"]["sleep"]["seconds"] if hooks else 0
    needed = asleep + settings.grace + getattr(settings, "drain", 0) + UNWINDING_S
    assert workload.pod["terminationGracePeriodSeconds"] >= needed
    alone = name in {"single", "job"}
    called = service != "menu-worker"
    assert (asleep >= 5) == (called and not alone), "endpoints take their time to forget a pod"


@pytest.mark.parametrize("name", ["single", "job"])
def test_a_gateway_without_a_second_is_back_before_wechat_gives_up(
    tmp_path: Path, name: str
) -> None:
    settings = settings_of(name, "callback-gateway", tmp_path).settings
    assert settings.drain + settings.grace <= settings.retry_every * (settings.tries - 1) / 2


@every_cluster
def test_a_call_to_wechat_under_way_may_end(tmp_path: Path, name: str) -> None:
    settings = settings_of(name, "token-service", tmp_path).settings
    assert settings.grace > settings.rotation.call_deadline


@every_service
@every_cluster
def test_stores_are_on_volumes_or_in_redis(tmp_path: Path, name: str, service: str) -> None:
    files = laid_out(name, service, tmp_path)
    workload = cluster(name).running(service)
    model, prefix = SETTINGS[service]
    path = Path(files.environ[f"{prefix}_CONFIG"])
    settings = load(model, path, files.environ, prefix=prefix).settings
    stores = [settings.store] + ([settings.spool] if service == "callback-gateway" else [])
    kept = {mount["mountPath"] for mount in workload.container["volumeMounts"]}
    assert settings.store.startswith("redis://" if name == "ha" else "sqlite:////")
    for store in stores:
        if store.startswith("sqlite"):
            assert store.startswith(f"sqlite:///{files.inside('/var/lib/zhongkong')}/")
            assert "/var/lib/zhongkong" in kept


@every_cluster
def test_what_the_proxy_keeps_fits_into_the_pods_temporary_folder(
    tmp_path: Path, name: str
) -> None:
    settings = settings_of(name, "token-service", tmp_path).settings
    volume = cluster(name).running("token-service").volumes()["tmp"]
    assert volume["emptyDir"]["sizeLimit"] == "1Gi"
    assert settings.proxy.replay_disk < 2**30


@every_cluster
def test_the_menu_worker_is_one_and_the_same_in_every_pod(tmp_path: Path, name: str) -> None:
    """Named after its pod, a pod that is moved with an old menu would claim it anew."""
    assert settings_of(name, "menu-worker", tmp_path).settings.instance == "menu-worker"


@every_cluster
def test_the_menu_worker_may_make_its_calls_and_no_others(tmp_path: Path, name: str) -> None:
    tokens = settings_of(name, "token-service", tmp_path).settings
    [worker] = [client for client in tokens.clients if client.name == "menus"]
    assert set(worker.verbs) == {"read", "report", "proxy"}
    assert {str(path) for path in worker.proxy_paths} == {
        "/cgi-bin/menu/*",
        "/cgi-bin/get_current_selfmenu_info",
    }


def test_a_plan_may_read_and_nothing_else(tmp_path: Path) -> None:
    tokens = settings_of("ha", "token-service", tmp_path).settings
    [planner] = [client for client in tokens.clients if client.name == "menus-plan"]
    assert {str(path) for path in planner.proxy_paths} == {
        "/cgi-bin/menu/get",
        "/cgi-bin/get_current_selfmenu_info",
    }


# ---------------------------------------------------------------------- the newcomer's path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A copy of the folder after the first make-keys.sh, and what that said."""
    folder = tmp_path_factory.mktemp("operator") / "kubernetes"
    shutil.copytree(KUBERNETES, folder)
    for path in (folder / "keys").iterdir():
        if path.name not in KEPT_BY_GIT:
            path.unlink()
    return folder, make_keys(folder)


KEPT_BY_GIT = {".gitignore", "kustomization.yaml"}


def make_keys(folder: Path) -> str:
    done = subprocess.run(
        ["/bin/sh", str(folder / "make-keys.sh")], check=True, capture_output=True, text=True
    )
    assert done.stderr == ""
    return done.stdout


def files_of_keys(folder: Path) -> list[Path]:
    return [path for path in (folder / "keys").iterdir() if path.name not in KEPT_BY_GIT]


def keys_in(folder: Path) -> Keys:
    return {path.name: path.read_text("utf-8").removesuffix("\n") for path in files_of_keys(folder)}


def test_make_keys_makes_every_documented_key_but_the_one_that_wechat_gives(
    made: tuple[Path, str],
) -> None:
    folder, said = made
    wanted = {key for keys in documented_secrets().values() for key in keys}
    assert wanted - set(keys_in(folder)) == {"shop.secret"}
    assert "keys/shop.secret" in said


def test_make_keys_leaves_nobody_else_a_look(made: tuple[Path, str]) -> None:
    folder, _ = made
    assert {path.stat().st_mode & 0o077 for path in files_of_keys(folder)} == {0}


def test_no_key_is_another(made: tuple[Path, str]) -> None:
    keys = keys_in(made[0])
    assert len(set(keys.values())) == len(keys)


def test_git_sees_no_key(made: tuple[Path, str], tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes"
    shutil.copytree(made[0], folder)
    words = ["git", "init", "--quiet"], ["git", "add", "--all"], ["git", "ls-files", "keys"]
    outputs = [
        subprocess.run(each, cwd=folder, check=True, capture_output=True, text=True).stdout
        for each in words
    ]
    assert outputs[-1].split() == ["keys/.gitignore", "keys/kustomization.yaml"]


def test_make_keys_changes_nothing_the_second_time(made: tuple[Path, str]) -> None:
    folder, _ = made
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    make_keys(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def again(made: tuple[Path, str], folder: Path) -> Path:
    """Another copy of what make-keys.sh has worked on."""
    shutil.copytree(made[0], folder)
    return folder


def ended(folder: Path) -> tuple[int, str]:
    words = ["/bin/sh", str(folder / "make-keys.sh")]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    return done.returncode, done.stderr


def test_a_fresh_checkout_is_given_no_keys_beside_the_digests_of_others(
    made: tuple[Path, str], tmp_path: Path
) -> None:
    """Applied to the cluster they would take the place of the ones that are in use."""
    folder = again(made, tmp_path / "kubernetes")
    for path in files_of_keys(folder):
        path.unlink()

    code, said = ended(folder)

    assert code == 1
    assert "Bring the keys back" in said
    assert files_of_keys(folder) == []


def test_a_key_is_replaced_by_asking_for_its_digest_anew(
    made: tuple[Path, str], tmp_path: Path
) -> None:
    folder = again(made, tmp_path / "kubernetes")
    config = folder / "config" / "token_service.yaml"
    before = keys_in(folder)
    digest = hashlib.sha256(before["menus.key"].encode()).hexdigest()
    waiting = config.read_text("utf-8").replace(digest, "<sha256 of menus.key>")
    config.write_text(waiting, encoding="utf-8")
    (folder / "keys" / "menus.key").unlink()

    make_keys(folder)

    assert keys_in(folder)["menus.key"] != before["menus.key"]
    assert {**keys_in(folder), "menus.key": ""} == {**before, "menus.key": ""}
    assert config.read_text("utf-8") == with_digests(waiting, keys_in(folder))


def test_a_further_client_gets_a_key_where_its_digest_is_asked_for(
    made: tuple[Path, str], tmp_path: Path
) -> None:
    folder = again(made, tmp_path / "kubernetes")
    config = folder / "config" / "token_service.yaml"
    added = '  - {name: billing, key_sha256: "<sha256 of billing.key>", accounts: [shop]}\n'
    config.write_text(config.read_text("utf-8") + added, encoding="utf-8")

    make_keys(folder)

    assert with_digests(added, keys_in(folder)) in config.read_text("utf-8")


@pytest.mark.parametrize("name", ["menus.key", "admin.key"])
def test_a_key_that_opens_nothing_is_told(
    made: tuple[Path, str], tmp_path: Path, name: str
) -> None:
    folder = again(made, tmp_path / "kubernetes")
    (folder / "keys" / name).write_text("another-key-that-nobody-knows", encoding="utf-8")

    assert ended(folder) == (0, f"keys/{name} opens nothing: no configuration holds its digest.\n")


def test_an_app_secret_with_more_than_itself_is_told(
    made: tuple[Path, str], tmp_path: Path
) -> None:
    folder = again(made, tmp_path / "kubernetes")
    secret = folder / "keys" / "shop.secret"
    for text, told in (("0123456789abcdef\n", False), ("0123456789abcdef\r\n", True)):
        secret.write_bytes(text.encode())
        assert ("carriage return" in ended(folder)[1]) is told


def test_make_keys_touches_no_line_but_those_that_wait_for_a_digest(
    made: tuple[Path, str],
) -> None:
    folder, _ = made
    keys = keys_in(folder)
    for path in [*(folder / "config").glob("*.yaml"), folder / "menu/desired/menu_worker.yaml"]:
        original = (KUBERNETES / path.relative_to(folder)).read_text("utf-8")
        assert path.read_text("utf-8") == with_digests(original, keys)
        assert not re.search("<sha256 of [a-z]", path.read_text("utf-8"))


@every_service
@pytest.mark.parametrize("name", ["single", "ha"])
def test_the_services_take_what_make_keys_made(
    tmp_path: Path, made: tuple[Path, str], check: Check, name: str, service: str
) -> None:
    keys = keys_in(made[0]) | {"shop.secret": "0123456789abcdef0123456789abcdef"}
    found = cluster(name)
    done = check(lay_out(found, found.running(service), tmp_path / "pod", keys))
    assert done.code == 0, done.err


def test_external_secrets_are_those_that_the_workloads_ask_for() -> None:
    path = KUBERNETES / "examples" / "external-secrets" / "external-secrets.yaml"
    made = {
        document["spec"]["target"]["name"]: {each["secretKey"] for each in document["spec"]["data"]}
        for document in yaml.safe_load_all(path.read_text("utf-8"))
    }
    assert made == documented_secrets()


def test_the_readme_names_every_secret_and_key() -> None:
    page = (KUBERNETES / "README.md").read_text("utf-8")
    for secret, keys in documented_secrets().items():
        [row] = [line for line in page.splitlines() if line.startswith(f"| `{secret}`")]
        assert all(f"`{key}`" in row for key in keys), secret
