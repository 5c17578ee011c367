"""Lays everything that `make run` and `make test` need, with Python's standard library alone.

`bootstrap.py runtime` makes .venv with the locked runtime packages; `bootstrap.py dev` adds what
tests and checks need, the programs of TOOLS, and the npm packages that some tests run against. A
second call finds its stamps and does nothing.
Packages come from wherever pip, npm and apt-get are set up to look; no index is ever named here.
What cannot be done ends in one line that says what to type.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
LOCKS = {
    "runtime": ("requirements/runtime.txt", "requirements/build.txt"),
    "dev": ("requirements/dev.txt", "requirements/build.txt"),
}
NODE_PEERS = "tests/sdk/node"
ATTEMPTS = 3
POLICY = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class Tool:
    """A program that some tests start, and the Debian packages that bring it."""

    program: str
    packages: tuple[str, ...]
    used_by: str


TOOLS = {
    tool.program: tool
    for tool in (
        Tool("redis-server", ("redis-server",), "the tests of the Redis store"),
        Tool("curl", ("curl",), "the tests of the README's commands"),
        Tool("node", ("nodejs",), "the tests with co-wechat-api and wechat-crypto"),
        Tool("npm", ("npm",), "the tests with co-wechat-api and wechat-crypto"),
        Tool("chromium", ("chromium", "fonts-noto-cjk"), "the tests of pages and pictures"),
        Tool("promtool", ("prometheus",), "the tests of alerts"),
    )
}


class BootstrapError(Exception):
    """Something is missing that only the user can bring; the message says what to type."""


def install_command(tools: Sequence[Tool]) -> str:
    """Return what a person types to get these programs."""
    packages = [package for tool in tools for package in tool.packages]
    return shlex.join(["sudo", "apt-get", "install", "--yes", *packages])


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def succeeds(*argv: str | Path) -> bool:
    """Run quietly; False as well when there is no such program."""
    try:
        return subprocess.run(argv, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def run(argv: Sequence[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run and keep what it prints, which matters only when it fails."""
    return subprocess.run(
        argv, check=False, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


# ------------------------------------------------------------------- packages of the distribution


def is_root() -> bool:
    return os.geteuid() == 0


def can_apt() -> bool:
    return is_root() and shutil.which("apt-get") is not None


@contextlib.contextmanager
def services_kept_down() -> Iterator[None]:
    """Keep packages from starting their daemons: tests start their own servers on free ports."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


def apt_install(packages: Sequence[str]) -> bool:
    """Install as root; tries a few times, since locks and mirrors come and go."""
    say(f"Installing {' '.join(packages)} with apt-get …")
    apt = ["apt-get", "--quiet", "--quiet", "-o", "DPkg::Lock::Timeout=120"]
    install = [*apt, "install", "--yes", "--no-install-recommends", *packages]
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with services_kept_down():
        for attempt in range(1, ATTEMPTS + 1):
            # A failed update is no reason to stop: the lists on the machine may do.
            run([*apt, "update"], environ)
            done = run(install, environ)
            if done.returncode == 0:
                return True
            say(f"Attempt {attempt} of {ATTEMPTS} failed:\n{done.stdout.strip()}")
    return False


def ensure_tools() -> None:
    """Bring every program of TOOLS where that needs no password; else say how.

    Without them their tests skip by name; under CI=true a missing one is an error.
    """
    missing = [tool for tool in TOOLS.values() if shutil.which(tool.program) is None]
    if missing and can_apt():
        together = [package for tool in missing for package in tool.packages]
        if not apt_install(together) and len(missing) > 1:
            # One that this distribution doesn't have must not keep out the others.
            for tool in missing:
                apt_install(tool.packages)
        missing = [tool for tool in missing if shutil.which(tool.program) is None]
    if not missing:
        return
    lines = [f"{tool.program} is missing: {tool.used_by} need it." for tool in missing]
    do_without(f"{' '.join(lines)} Debian, Ubuntu: {install_command(missing)}")


def do_without(message: str) -> None:
    """Say what is missing: an error under CI=true, a remark to everybody else."""
    if os.environ.get("CI") == "true":
        raise BootstrapError(message)
    say(f"{message} (they are skipped until then)")


# ---------------------------------------------------------------------------------- npm packages


def node_fingerprint() -> str:
    return hashlib.sha256((ROOT / NODE_PEERS / "package-lock.json").read_bytes()).hexdigest()


def node_stamp() -> Path:
    return ROOT / NODE_PEERS / "node_modules" / ".stamp"


def has_node_packages() -> bool:
    """Tell whether the locked npm packages are there. The tests ask this too."""
    path = node_stamp()
    return path.exists() and path.read_text(encoding="utf-8") == node_fingerprint()


def ensure_node_packages() -> None:
    """Install the locked npm packages, without running any script of theirs."""
    npm = shutil.which("npm")
    if npm is None or has_node_packages():
        return  # without npm, ensure_tools has spoken
    say(f"Installing the locked npm packages into {NODE_PEERS}, this once …")
    words = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]
    for attempt in range(1, ATTEMPTS + 1):
        done = run([*words, str(ROOT / NODE_PEERS)], os.environ)
        if done.returncode == 0:
            node_stamp().write_text(node_fingerprint(), encoding="utf-8")
            return
        say(f"Attempt {attempt} of {ATTEMPTS} failed:\n{done.stdout.strip()}")
    do_without(
        f"npm could not install what {NODE_PEERS}/package-lock.json names (see above): the tests "
        "with co-wechat-api need it; repeat when its registry answers"
    )


# --------------------------------------------------------------------------- virtual environment


def clear_broken_venv() -> None:
    """Remove a .venv whose interpreter is gone; refuse to remove what is no environment."""
    if not VENV.exists() and not VENV.is_symlink():
        return
    if VENV.is_dir() and ((VENV / "pyvenv.cfg").exists() or not any(VENV.iterdir())):
        shutil.rmtree(VENV)
        return
    message = f"{VENV} is in the way and is no virtual environment: move it, then repeat"
    raise BootstrapError(message)


def interpreter_fits() -> bool:
    """Tell whether .venv's Python starts (it may have moved or gone) and is new enough."""
    return succeeds(VENV_PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))")


def pip_argv() -> list[str] | None:
    """Return how to run pip for .venv: its own, else the one of the Python that runs this."""
    own = [str(VENV_PYTHON), "-m", "pip"]
    borrowed = [sys.executable, "-m", "pip", "--python", str(VENV_PYTHON)]
    return next((argv for argv in (own, borrowed) if succeeds(*argv, "--version")), None)


def make_venv() -> bool:
    """Try each way to a working .venv that installs nothing outside it."""
    routes = (
        (sys.executable, "-m", "venv", str(VENV)),
        (sys.executable, "-m", "venv", "--without-pip", str(VENV)),
        (sys.executable, "-m", "virtualenv", str(VENV)),
        ("virtualenv", "--python", sys.executable, str(VENV)),
    )
    for route in routes:
        clear_broken_venv()
        if succeeds(*route) and interpreter_fits() and pip_argv() is not None:
            return True
    clear_broken_venv()
    return False


def ensure_venv() -> None:
    if interpreter_fits() and pip_argv() is not None:
        return
    say(f"Making .venv with {sys.executable} …")
    if make_venv():
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if can_apt() and apt_install([package]) and make_venv():
        return
    message = (
        f"{sys.executable} cannot make virtual environments. Debian, Ubuntu: "
        f"sudo apt-get install --yes {package}; elsewhere install virtualenv; then repeat"
    )
    raise BootstrapError(message)


# ------------------------------------------------------------------------------- Python packages


def fingerprint(kind: str) -> str:
    """Return what .venv was filled from; the folder counts, for the project is linked into it."""
    digest = hashlib.sha256(str(ROOT).encode())
    for name in (*LOCKS[kind], "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def stamp(kind: str) -> Path:
    return VENV / f".stamp-{kind}"


def is_filled(kind: str) -> bool:
    path = stamp(kind)
    return path.exists() and path.read_text(encoding="utf-8") == fingerprint(kind)


def pip_install(*arguments: str) -> None:
    """Run pip for .venv; tries a few times, since indexes come and go."""
    environ = {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environ.pop("PIP_REQUIRE_HASHES", None)  # stated where it holds; the project itself has none
    argv = [*(pip_argv() or ()), "install", "--quiet", "--quiet", "--no-deps", *arguments]
    for attempt in range(1, ATTEMPTS + 1):
        done = run(argv, environ)
        if done.returncode == 0:
            return
        say(f"Attempt {attempt} of {ATTEMPTS} failed:\n{done.stdout.strip()}")
    message = f"pip could not install {arguments[-1]} (see above); repeat when its index answers"
    raise BootstrapError(message)


def fill_venv(kind: str) -> None:
    say(f"Installing the locked {kind} packages into .venv, this once …")
    locks = [word for name in LOCKS[kind] for word in ("--requirement", str(ROOT / name))]
    pip_install("--require-hashes", *locks)
    pip_install("--no-build-isolation", "--editable", str(ROOT))
    # The dev lock holds the runtime lock's packages in the same versions.
    for filled in ("runtime", "dev") if kind == "dev" else (kind,):
        stamp(filled).write_text(fingerprint(filled), encoding="utf-8")


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let a second bootstrap of this checkout wait for the first."""
    with (ROOT / "pyproject.toml").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def prepare(kind: str) -> None:
    if not (is_filled(kind) and interpreter_fits()):
        ensure_venv()
        fill_venv(kind)
    if kind == "dev":
        ensure_tools()
        ensure_node_packages()


def main(arguments: Sequence[str]) -> int:
    kind = arguments[0] if len(arguments) == 1 else ""
    if kind not in LOCKS:
        say("usage: bootstrap.py runtime|dev")
        return 2
    try:
        with one_at_a_time():
            prepare(kind)
    except BootstrapError as error:
        say(f"error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
