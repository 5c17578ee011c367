"""Each machine that lacks something has a working path, or one line that says what to type."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import bootstrap

ROOT = Path(__file__).resolve().parents[2]


def program(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def path_folder(tmp_path: Path) -> Path:
    """A PATH that holds only what the shell script itself uses."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("cat", "dirname"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


def start_script(path_folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ROOT / "scripts" / "bootstrap.sh"), "neither-runtime-nor-dev"],
        env={"PATH": str(path_folder), **environ},
        check=False,
        capture_output=True,
        text=True,
    )


def test_without_a_new_enough_python_one_line_says_what_to_do(path_folder: Path) -> None:
    program(path_folder, "python3", '[ "$1" = --version ] && echo Python 3.9.2 || exit 1')

    done = start_script(path_folder)

    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "Python 3.11 or newer is needed" in line
    assert "found: Python 3.9.2" in line


def test_a_shim_that_only_prints_an_error_is_passed_over(path_folder: Path) -> None:
    program(path_folder, "python3", "echo 'version not installed' >&2; exit 127")
    program(path_folder, "python3.12", f'exec {sys.executable} "$@"')

    assert "usage: bootstrap.py" in start_script(path_folder).stderr


def test_the_python_that_is_named_goes_first(path_folder: Path) -> None:
    program(path_folder, "python3", "exit 1")
    chosen = program(path_folder.parent, "chosen", f'exec {sys.executable} "$@"')

    assert "usage: bootstrap.py" in start_script(path_folder, PYTHON=str(chosen)).stderr


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that bootstrap.py takes for the repository, on a machine without apt-get."""
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(bootstrap, "can_apt", lambda: False)
    for name in ("pyproject.toml", *bootstrap.LOCKS["runtime"], *bootstrap.LOCKS["dev"]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("first", encoding="utf-8")
    return tmp_path


def test_a_python_without_ensurepip_gets_an_environment_filled_by_its_own_pip(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = program(
        checkout,
        "python-without-ensurepip",
        f"""case "$*" in
        "-m venv --without-pip "*) exec {sys.executable} "$@" ;;
        "-m pip --python "*" --version") exit 0 ;;
        *) exit 1 ;;
        esac""",
    )
    monkeypatch.setattr(sys, "executable", str(python))

    bootstrap.ensure_venv()

    assert bootstrap.interpreter_fits()
    assert bootstrap.pip_argv() == [
        *(str(python), "-m", "pip"),
        *("--python", str(checkout / ".venv" / "bin" / "python")),
    ]


def test_a_python_without_any_way_to_an_environment_names_the_package(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(program(checkout, "python-alone", "exit 1")))
    monkeypatch.setenv("PATH", str(checkout))

    with pytest.raises(bootstrap.BootstrapError, match=r"apt-get install --yes python3\.\d+-venv"):
        bootstrap.ensure_venv()

    assert not (checkout / ".venv").exists()


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Path) -> None:
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "pyvenv.cfg").touch()
    (checkout / ".venv" / "bin" / "python").symlink_to("/nowhere/python3")

    bootstrap.clear_broken_venv()

    assert not (checkout / ".venv").exists()


def test_a_folder_that_is_no_environment_is_not_removed(checkout: Path) -> None:
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / "thesis.txt").touch()

    with pytest.raises(bootstrap.BootstrapError, match="is no virtual environment"):
        bootstrap.clear_broken_venv()

    assert (checkout / ".venv" / "thesis.txt").exists()


@pytest.mark.parametrize("name", ["requirements/dev.txt", "pyproject.toml"])
def test_a_filled_environment_is_filled_again_when_its_source_changes(
    checkout: Path, name: str
) -> None:
    (checkout / ".venv").mkdir()
    bootstrap.stamp("dev").write_text(bootstrap.fingerprint("dev"), encoding="utf-8")
    assert bootstrap.is_filled("dev")

    (checkout / name).write_text("second", encoding="utf-8")

    assert not bootstrap.is_filled("dev")


@pytest.fixture
def without_tools(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    monkeypatch.delenv("CI", raising=False)


@pytest.mark.usefixtures("without_tools")
def test_without_root_the_line_names_the_program_and_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bootstrap.ensure_tools()

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("redis-server is missing")
    assert "sudo apt-get install --yes redis-server curl nodejs npm" in line


@pytest.mark.usefixtures("without_tools")
def test_in_ci_a_missing_program_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(bootstrap.BootstrapError, match="redis-server"):
        bootstrap.ensure_tools()


@pytest.fixture
def node_peers(checkout: Path) -> Path:
    """The folder with the lock of the npm packages, and an npm that writes down its words."""
    folder = checkout / bootstrap.NODE_PEERS
    (folder / "node_modules").mkdir(parents=True)
    (folder / "package-lock.json").write_text("first", encoding="utf-8")
    return folder


def npm(checkout: Path, body: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(checkout))
    return program(checkout, "npm", body)


def test_the_npm_packages_are_installed_once_for_each_lock(
    checkout: Path, node_peers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = checkout / "said"
    npm(checkout, f'echo "$@" >>{said}', monkeypatch)
    for lock in ("first", "first", "second"):
        (node_peers / "package-lock.json").write_text(lock, encoding="utf-8")
        bootstrap.ensure_node_packages()
        assert bootstrap.has_node_packages()
    calls = said.read_text(encoding="utf-8").splitlines()
    assert len(calls) == 2
    assert all(call.startswith("ci --ignore-scripts") for call in calls)


@pytest.mark.usefixtures("node_peers")
def test_npm_packages_that_cannot_be_had_fail_only_in_ci(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    npm(checkout, "echo no registry; exit 1", monkeypatch)
    monkeypatch.delenv("CI", raising=False)
    bootstrap.ensure_node_packages()
    assert not bootstrap.has_node_packages()
    assert "they are skipped until then" in capsys.readouterr().err

    monkeypatch.setenv("CI", "true")
    with pytest.raises(bootstrap.BootstrapError, match="co-wechat-api"):
        bootstrap.ensure_node_packages()


def test_services_stay_down_only_while_packages_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(bootstrap, "POLICY", policy)

    with bootstrap.services_kept_down():
        assert os.access(policy, os.X_OK)

    assert not policy.exists()


def test_a_policy_of_the_machine_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = program(tmp_path, "policy-rc.d", "exit 0")
    monkeypatch.setattr(bootstrap, "POLICY", policy)

    with bootstrap.services_kept_down():
        pass

    assert policy.read_text(encoding="utf-8") == "#!/bin/sh\nexit 0\n"
