"""Who listens on a port, as far as Linux lets us see. Blocks; for error messages only."""

from __future__ import annotations

from pathlib import Path

_LISTENING = "0A"
_PROC = Path("/proc")


def port_owner(port: int) -> str:
    """Return "pid 123 (name)", or "" where it can't be seen (not Linux, another user's process)."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not sockets:
        return ""
    for process in _PROC.glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in sockets for link in (process / "fd").iterdir()):
                # The name alone: a command line may hold a secret.
                return f"pid {process.name} ({(process / 'comm').read_text().strip()})"
        except OSError:
            continue
    return ""


def _listening_inodes(port: int) -> set[str]:
    found: set[str] = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for columns in (line.split() for line in lines):
            local, state, inode = columns[1], columns[3], columns[9]
            if state == _LISTENING and int(local.rpartition(":")[2], 16) == port:
                found.add(inode)
    return found
