"""The Lua scripts of the Redis inbox, one file each; what each takes and answers stands in it.

Keys of a shard, all beginning with `zk:gw:{shard}:`:

- `life`: hash of the store's name and the number of events accepted.
- `documents`: stream of undelivered events. Entries of those that are over are deleted; there are
  no consumer groups, so that none can get stuck.
- `event:<id>`: hash; what is known of an event, and then for `retention_s` of its id.
- `wait:<target>`, `held:<target>`, `state:<target>`: deliveries, see deliveries.lua.
- `targets`: set of those that have deliveries.
- `letter:<id>`, `dead`, `dead_of`: dead letters, see letters.lua.
- `stamp:<proof>`: the digest of the body that came with it.
- `over`: what `purge` is to forget of these, by when.

`zk:gw:{meta}:disabled` is a hash of targets and fingerprints.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from zhongkong.runtime.redis import Script

_FOLDER = files(__name__)


def _script(name: str, *parts: str) -> Script:
    texts = [(_FOLDER / f"{part}.lua").read_text("utf-8") for part in ("common", *parts, name)]
    return Script(f"inbox_{name}", "\n".join(texts))


ACCEPT: Final = _script("accept", "deliveries", "letters")
JOIN: Final = _script("join", "deliveries")
PEEK: Final = _script("peek", "due")
LEASE: Final = _script("lease", "deliveries", "due")
RENEW: Final = _script("renew", "deliveries")
SETTLE: Final = _script("settle", "deliveries", "letters")
NEXT_DUE: Final = _script("next_due")
HASTEN: Final = _script("hasten")
DEPTH: Final = _script("depth")
COUNT: Final = _script("count")
DEAD_SCAN: Final = _script("dead_scan")
DEAD_FIND: Final = _script("dead_find")
DEAD_READ: Final = _script("dead_read")
REDRIVE: Final = _script("redrive", "deliveries", "letters")
DROP: Final = _script("drop", "letters")
PURGE: Final = _script("purge", "letters")

DISABLE: Final = Script("inbox_disable", "return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])")
ENABLE: Final = Script("inbox_enable", "return redis.call('HDEL', KEYS[1], ARGV[1])")
DISABLED: Final = Script("inbox_disabled", "return redis.call('HGETALL', KEYS[1])")
