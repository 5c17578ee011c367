"""Reading the `store:` address of a Redis, alone, behind sentinels, or in a cluster.

No message shows what stood in the address where a password could stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from zhongkong.runtime.store_targets import (
    CertReqs,
    Login,
    RedisMode,
    RedisTarget,
    StoreUrlError,
    Tls,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from urllib.parse import SplitResult

REDIS_PORT = 6379
SENTINEL_PORT = 26379

REDIS_MODES: Mapping[str, RedisMode] = {
    "redis": "single",
    "rediss": "single",
    "redis+sentinel": "sentinel",
    "redis+cluster": "cluster",
}
_TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS_OPTIONS = (*_TLS_FILES, "ssl_cert_reqs", "ssl_check_hostname")
_SENTINEL_OPTIONS = ("sentinel_username", "sentinel_password")
_CERT_REQS: Mapping[str, CertReqs] = {
    "none": "none",
    "optional": "optional",
    "required": "required",
}
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def redis_target(parts: SplitResult, base: Path) -> RedisTarget:
    """Read a split address whose scheme is one of REDIS_MODES; raises StoreUrlError."""
    mode = REDIS_MODES[parts.scheme]
    if "@" in parts.path + parts.query or parts.fragment or parts.netloc.count("@") > 1:
        raise StoreUrlError(
            "special characters in the name or password must be percent-encoded "
            "(@ as %40, / as %2F, # as %23, ? as %3F)"
        )
    login, _, hosts = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    options = _options(parts, mode)
    master_name, db = _path(parts.path, mode)
    return RedisTarget(
        mode=mode,
        addresses=_addresses(hosts, mode),
        db=db,
        login=Login(unquote(username), unquote(password)),
        master_name=master_name,
        sentinel_login=Login(
            options.get("sentinel_username", ""), options.get("sentinel_password", "")
        ),
        tls=_tls(options, base) if _flag(options, "ssl", default=False) else None,
    )


def _options(parts: SplitResult, mode: RedisMode) -> dict[str, str]:
    """Return the options after `?`, with `ssl` set for rediss://."""
    known = [*_TLS_OPTIONS, *(_SENTINEL_OPTIONS if mode == "sentinel" else ())]
    if mode != "single":
        known.append("ssl")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not options.keys() <= set(known):
        raise StoreUrlError(f"{parts.scheme}:// has an option it doesn't know; {', '.join(known)}")
    if parts.scheme == "rediss":
        options["ssl"] = "true"
    elif any(name in options for name in _TLS_OPTIONS) and not _flag(options, "ssl", default=False):
        remedy = "rediss://" if mode == "single" else "ssl=true"
        raise StoreUrlError(f"the ssl_… options need {remedy}")
    return options


def _path(path: str, mode: RedisMode) -> tuple[str, int]:
    """Return the master's name and the database number."""
    words = [unquote(word) for word in path.split("/")[1:] if word]
    if mode == "cluster":
        if words and words != ["0"]:
            raise StoreUrlError("redis+cluster:// takes no database: a cluster has only 0")
        return "", 0
    name = ""
    if mode == "sentinel":
        if not words:
            raise StoreUrlError("redis+sentinel:// needs the master's name: …/master_name/0")
        name = words.pop(0)
    if len(words) > 1 or not all(word.isascii() and word.isdigit() for word in words):
        raise StoreUrlError(f"a {mode} Redis address ends in /0, the number of the database")
    return name, int(words[0]) if words else 0


def _addresses(hosts: str, mode: RedisMode) -> tuple[tuple[str, int], ...]:
    default = SENTINEL_PORT if mode == "sentinel" else REDIS_PORT
    found = tuple(_address(text, default) for text in hosts.split(","))
    if mode == "single" and len(found) > 1:
        raise StoreUrlError("several hosts need redis+sentinel:// or redis+cluster://")
    return found


def _address(text: str, default_port: int) -> tuple[str, int]:
    if text.startswith("["):
        host, _, tail = text[1:].partition("]")
        port = tail.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    wrong_port = port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536)
    if not host or wrong_port:
        raise StoreUrlError("a Redis host is written host:port or [IPv6]:port, several with commas")
    return host, int(port) if port else default_port


def _flag(options: Mapping[str, str], name: str, *, default: bool) -> bool:
    if name not in options:
        return default
    value = _FLAGS.get(options[name].lower())
    if value is None:
        raise StoreUrlError(f"{name} is true or false")
    return value


def _tls(options: Mapping[str, str], base: Path) -> Tls:
    reqs = _CERT_REQS.get(options.get("ssl_cert_reqs", "required"))
    if reqs is None:
        raise StoreUrlError("ssl_cert_reqs is none, optional or required")
    ca_certs, certfile, keyfile = (
        base / options[name] if options.get(name) else None for name in _TLS_FILES
    )
    return Tls(
        ca_certs=ca_certs,
        certfile=certfile,
        keyfile=keyfile,
        cert_reqs=reqs,
        check_hostname=_flag(options, "ssl_check_hostname", default=True),
    )
