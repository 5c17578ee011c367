"""How a part begins: it ties its life to the local world's, waits for its turn, then becomes it.

`python -m zhongkong.local_world.child PARENT LOADS MODULE ARGUMENT…` imports LOADS, and runs MODULE
as `python -m` would when it is its turn. Standard input must be a pipe that the parent holds: one
byte on it says so, its end ends the part.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import runpy
import signal
import sys
import threading
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LINGER_S: Final = 5.0


def main() -> None:
    """Never returns normally: the module's own end is the end of the process."""
    parent, loads, module, *arguments = sys.argv[1:]
    die_with(int(parent))
    gc.disable()
    importlib.import_module(loads)
    # What is loaded stays: to look for garbage in it, now and in the end, is a sixth of a start.
    gc.freeze()
    gc.enable()
    if not os.read(0, 1):
        os._exit(1)
    threading.Thread(target=_watch_pipe, name="parent-watch", daemon=True).start()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def die_with(parent: int) -> None:
    """End this process when its parent ends, however that ends."""
    # Linux alone knows this. SIGKILL: nobody is left who could wait for an orderly end, and the
    # stores survive it.
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _watch_pipe() -> None:
    """Where the system doesn't end us: the pipe ends when the last holder of its other end does."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(_LINGER_S)
    os._exit(1)


if __name__ == "__main__":
    main()
