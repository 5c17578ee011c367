from __future__ import annotations

import subprocess
import sys

import pytest

OPENS = (
    "from zhongkong.runtime.standard_streams import open_standard_streams as o; o(); "
    "import os, sys; print('out', flush=True); print('err', file=sys.stderr, flush=True); "
    "os._exit(0 if sys.stdin.read() == '' and os.open(os.devnull, 0) > 2 else 1)"
)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_a_process_that_was_started_without_a_stream_has_all_three(closed: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-c", OPENS],
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (done.stdout == "out\n") is (" >&-" not in f" {closed}")
    assert (done.stderr == "err\n") is ("2>&-" not in closed)
