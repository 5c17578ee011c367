"""The service as a process of its own, so that its memory and its environment are its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fixtures.processes import Child
from tests.token_service.proxy.world import CLIENTS
from tests.token_service.running import write_config


@dataclass(frozen=True)
class Process:
    child: Child
    port: int

    def memory(self, name: str = "VmRSS") -> int:
        """Resident bytes now, or at the highest so far (VmHWM)."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(status.partition(f"\n{name}:")[2].split()[0]) * 1024


@contextmanager
def process(
    folder: Path, origin: str, *, extra: str = "", environ: Mapping[str, str] | None = None
) -> Iterator[Process]:
    """Account `shop` and the clients of `world`, with WeChat at this origin."""
    path = write_config(folder, 1)
    head = path.read_text().partition("clients:")[0].replace("http://127.0.0.1:1", origin)
    path.write_text(head + CLIENTS + extra)
    child = Child(
        [sys.executable, "-m", "token_service", "run", "--config", str(path)],
        environ={**os.environ, **(environ or {})},
    )
    try:
        child.wait_for_line('"name":"internal"')
        yield Process(child, int(head.partition("listen: 127.0.0.1:")[2].split()[0]))
    finally:
        child.terminate()
