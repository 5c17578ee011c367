from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from zhongkong.runtime.whole_file import FOR_EVERYBODY, write_whole

BYTES = 4096
KILLED_BEFORE_ITS_NAME = f"""
import os, signal
from pathlib import Path
from zhongkong.runtime.whole_file import write_whole
Path.replace = Path.hardlink_to = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
write_whole(Path("file"), b"n" * {BYTES})
"""
OUT_OF_SPACE = f"""
import resource
from pathlib import Path
from zhongkong.runtime.whole_file import write_whole
resource.setrlimit(resource.RLIMIT_FSIZE, ({BYTES} // 2, resource.RLIM_INFINITY))
try:
    write_whole(Path("file"), b"n" * {BYTES})
except OSError as error:
    print(error.filename)
"""


def done_by_a_process(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_file_is_written_and_nothing_else(tmp_path: Path, overwrite: bool) -> None:
    write_whole(tmp_path / "file", b"new", overwrite=overwrite)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert names_in(tmp_path) == ["file"]


def test_a_file_that_is_there_is_replaced_by_another_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        write_whole(path, b"new")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"


def test_a_file_that_is_there_stays_when_it_may_not_be_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError) as refused:
        write_whole(path, b"new", overwrite=False)
    assert str(refused.value) == f"[Errno {errno.EEXIST}] File exists: '{path}'"
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_a_name_as_long_as_names_may_be_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_process_killed_before_the_file_has_its_name_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    assert done_by_a_process(KILLED_BEFORE_ITS_NAME, tmp_path).returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    (draft,) = (each for each in tmp_path.iterdir() if each != path)
    assert draft.name.startswith(".")
    assert draft.suffix == ".draft"
    assert (draft.stat().st_size, mode_of(draft)) == (BYTES, 0o600)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_disk_that_takes_half_of_it_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    assert done_by_a_process(OUT_OF_SPACE, tmp_path).stdout == "file\n"
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


@pytest.mark.parametrize("overwrite", [True, False])
def test_a_disk_that_fails_at_the_sync_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overwrite: bool
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left on device") as failed:
        write_whole(tmp_path / "file", b"new", overwrite=overwrite)
    assert failed.value.filename == str(tmp_path / "file")
    assert names_in(tmp_path) == []


def test_whoever_stops_the_writing_leaves_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "file", b"new")
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("asked", "mask", "found"),
    [(0o600, 0o000, 0o600), (0o600, 0o022, 0o600), (0o666, 0o022, 0o644), (0o666, 0o077, 0o600)],
)
def test_others_may_do_what_was_asked_and_the_umask_leaves(
    tmp_path: Path, asked: int, mask: int, found: int
) -> None:
    with umask(mask):
        write_whole(tmp_path / "file", b"new", mode=asked)
    assert mode_of(tmp_path / "file") == found


def test_the_mode_is_that_of_the_new_file_not_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_whole(path, b"new")
    assert mode_of(path) == 0o600


class Kernel:
    """What was asked of the system, and done: each draft as it was made, and the order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.modes: list[int] = []
        self.order: list[str] = []
        self.drafts: list[str] = []
        self._open, self._fsync, self._rename = os.open, os.fsync, os.replace
        monkeypatch.setattr(os, "open", self.open)
        monkeypatch.setattr(os, "fsync", self.fsync)
        monkeypatch.setattr(os, "replace", self.replace)

    def open(self, path: Any, flags: int, mode: int = 0o777) -> int:
        descriptor = self._open(path, flags, mode)
        if flags & os.O_CREAT:
            assert flags & os.O_EXCL
            self.drafts.append(Path(path).name)
            self.modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    def fsync(self, descriptor: int) -> None:
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        self.order.append("folder synced" if folder else "draft synced")
        self._fsync(descriptor)

    def replace(self, source: Any, target: Any) -> None:
        self.order.append("named")
        self._rename(source, target)


def test_a_secret_is_its_owners_alone_from_the_first_byte_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = Kernel(monkeypatch)
    with umask(0):
        write_whole(tmp_path / "file", b"new")
    assert kernel.modes == [0o600]


def test_the_draft_is_on_the_disk_before_it_has_its_name_and_the_name_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = Kernel(monkeypatch)
    write_whole(tmp_path / "file", b"new")
    assert kernel.order == ["draft synced", "named", "folder synced"]


def test_no_draft_has_a_name_that_somebody_else_could_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = Kernel(monkeypatch)
    for _ in range(100):
        write_whole(tmp_path / "file", b"new")
    assert len(set(kernel.drafts)) == 100
    assert all(len(name) >= len("." + 16 * "0" + ".draft") for name in kernel.drafts)


@pytest.mark.parametrize("target", ["there", "missing", "file"])
def test_a_link_gives_way_to_the_file_and_what_it_leads_to_is_left_alone(
    tmp_path: Path, target: str
) -> None:
    (tmp_path / "there").write_bytes(b"somebody's")
    (tmp_path / "file").symlink_to(tmp_path / target)
    write_whole(tmp_path / "file", b"new")
    assert not (tmp_path / "file").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"new"
    assert (tmp_path / "there").read_bytes() == b"somebody's"
    assert names_in(tmp_path) == ["file", "there"]


def test_a_link_stays_when_it_may_not_be_overwritten(tmp_path: Path) -> None:
    (tmp_path / "file").symlink_to(tmp_path / "missing")
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "file", b"new", overwrite=False)
    assert names_in(tmp_path) == ["file"]


def test_a_pipe_and_a_link_to_a_device_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to(os.devnull)
    for name in ("pipe", "null"):
        with pytest.raises(OSError, match=rf"It is no regular file: '.*/{name}'"):
            write_whole(tmp_path / name, b"new")
    assert names_in(tmp_path) == ["null", "pipe"]
    assert (tmp_path / "null").is_symlink()


def test_a_directory_in_its_place_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(IsADirectoryError) as refused:
        write_whole(tmp_path / "file", b"new")
    assert refused.value.filename == str(tmp_path / "file")
    assert names_in(tmp_path) == ["file"]


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as refused:
        write_whole(tmp_path / "none" / "file", b"new")
    assert refused.value.filename == str(tmp_path / "none" / "file")
    assert names_in(tmp_path) == []


def test_where_there_are_no_links_a_new_file_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)  # as FAT does
    with umask(0):
        write_whole(tmp_path / "file", b"new", mode=FOR_EVERYBODY, overwrite=False)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert mode_of(tmp_path / "file") == 0o666
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "file", b"newer", overwrite=False)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert names_in(tmp_path) == ["file"]


def test_a_folder_that_can_not_be_synced_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsync = os.fsync

    def refuse_folders(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
