"""A process of its own on a menu store's file: `python -m … FILE NAME TIMES`.

It waits for nothing: it begins `TIMES` revisions, counts as many calls, and writes under the lease,
each time checking that nobody else does. Its last line is what it saw, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from menu_worker.store.sqlite import SqliteMenuStore
from zhongkong.runtime.clock import SystemClock

ACCOUNT = "shop"
LIMIT = 50


async def main(path: Path, name: str, times: int) -> None:
    store = await SqliteMenuStore.open(path, clock=SystemClock())
    await store.claim(ACCOUNT, name, f"menu of {name}")
    revisions, fences, spent = [], [], 0
    for _ in range(times):
        number = await store.begin(
            ACCOUNT, actor=name, reason="changed", before={}, after={}, fingerprint=name
        )
        revisions.append(number)
        spent += await store.spend(ACCOUNT, "create", LIMIT)
        lease = await store.acquire(ACCOUNT, name, 30)
        if lease is not None:
            assert await store.holds(lease, 30)
            fences.append(lease.fence)
            await store.release(lease)
    await store.close()
    seen = {"revisions": revisions, "fences": fences, "spent": spent}
    sys.stdout.write(f"{json.dumps(seen)}\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
