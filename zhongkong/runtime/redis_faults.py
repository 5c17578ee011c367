"""What Redis's refusals and a lost connection mean, in the operator's words.

Pure: errors in, errors out. No message holds a password or an argument of a command.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from redis.exceptions import (
    AuthenticationError,
    MaxConnectionsError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TimeoutError as RedisTimeoutError,
)

from zhongkong.runtime.storage import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from zhongkong.runtime.storage import RedisTarget

# What any call may raise when the way to the server, or the server's state, is at fault.
LOST = (RedisError, RedisClusterException, OSError, EOFError)

_STATES: Mapping[str, str] = {
    "LOADING": "it is loading its data after a start",
    "READONLY": "it is a replica and refuses writes (a failover is under way, or the address "
    "in `store` names a replica)",
    "OOM": "its memory is full (maxmemory); raise the limit, or set maxmemory-policy to "
    "noeviction and find out what fills it",
    "MISCONF": "it can't save its data and refuses writes; look at its disk and its log",
    "MASTERDOWN": "its link to the master is down",
    "CLUSTERDOWN": "the cluster is down (a hash slot has no master)",
    "TRYAGAIN": "the cluster is moving the keys to another node",
    "NOREPLICAS": "it refuses writes for want of replicas (min-replicas-to-write)",
    "BUSY": "it is held up by another script",
    "UNKILLABLE": "it is held up by another script",
    "NOAUTH": "it asks for a password; put it into `store`",
    "WRONGPASS": "it refuses the user name or password in `store`",
    "NOPERM": "its ACL doesn't allow this user what the store needs (EVALSHA, EVAL and the "
    "commands of the scripts on the store's keys)",
    "DENIED": "it is in protected mode and accepts only loopback; set a password or `bind`",
    "MOVED": "it is a cluster; write redis+cluster:// in `store`",
    "ASK": "it is a cluster; write redis+cluster:// in `store`",
    "ERR DB index is out of range": "it has no database of that number",
    "ERR invalid password": "it refuses the password in `store`",
    "ERR unknown command `HELLO`": "it is older than 6.0",
}
# A server before 7.0 wraps the error of a command that a script called.
_WRAPPED = re.compile(r"-([A-Z]{3,12}) ")


class ScriptFailed(Exception):
    """A script raised an error or was called wrongly: a bug, not a state of the server."""


def unavailable(error: BaseException, target: RedisTarget) -> StoreUnavailable | None:
    """Return what to tell the store's caller; None when the error is the script's own."""
    if isinstance(error, ResponseError | AuthenticationError):
        state = _state(error)
        return None if state is None else StoreUnavailable(f"Redis at {target}: {state}")
    return StoreUnavailable(f"Redis at {target} can't be reached: {_reason(error, target)}")


def script_failed(name: str, error: ResponseError) -> ScriptFailed:
    # After these words Redis quotes the arguments, and those may be secrets.
    text = _text(error).partition(", with args beginning with")[0]
    return ScriptFailed(f"script {name}: {text[:300]}")


def _state(error: RedisError) -> str | None:
    text = _text(error)
    for prefix, meaning in _STATES.items():
        if text.startswith(prefix):
            return meaning
    wrapped = _WRAPPED.search(text)
    if wrapped is not None and wrapped[1] in _STATES:
        return _STATES[wrapped[1]]
    return text[:200] if isinstance(error, AuthenticationError) else None


def _text(error: RedisError) -> str:
    """Return the server's own line: the client library cuts the code off the errors it knows."""
    return f"{error.status_code} {error}" if error.status_code else str(error)


def _reason(error: BaseException, target: RedisTarget) -> str:
    if isinstance(error, RedisTimeoutError | TimeoutError):
        return "no answer in time"
    if isinstance(error, MaxConnectionsError):
        return "all connections are in use"
    text = str(error) or type(error).__name__
    for login in (target.login, target.sentinel_login):
        if login.password:
            text = text.replace(login.password, "***")
    return text[:300]
