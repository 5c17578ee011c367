"""Where a store is: the values that a `store:` address is read into.

Reading the address is in storage.py and redis_url.py. No message and no repr contains a password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

CertReqs = Literal["none", "optional", "required"]
RedisMode = Literal["single", "sentinel", "cluster"]


class StoreUrlError(ValueError):
    """A `store:` address that means nothing; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class MemoryTarget:
    """A store that ends with the process."""

    def __str__(self) -> str:
        return "memory://"


@dataclass(frozen=True, slots=True)
class SqliteTarget:
    path: Path

    def __str__(self) -> str:
        return f"sqlite:///{self.path}"


@dataclass(frozen=True, slots=True)
class Tls:
    """How to check the server and what to show it. Paths are absolute."""

    ca_certs: Path | None = None
    certfile: Path | None = None
    keyfile: Path | None = None
    cert_reqs: CertReqs = "required"
    check_hostname: bool = True

    def files(self) -> list[Path]:
        return [path for path in (self.ca_certs, self.certfile, self.keyfile) if path is not None]


@dataclass(frozen=True, slots=True)
class Login:
    """A name and password; the empty name is Redis's default user."""

    username: str = ""
    password: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.username or self.password)


@dataclass(frozen=True, slots=True)
class RedisTarget:
    """Where Redis is. `addresses` are the server, the sentinels, or the cluster's seeds."""

    mode: RedisMode
    addresses: tuple[tuple[str, int], ...]
    db: int = 0
    login: Login = Login()
    master_name: str = ""
    sentinel_login: Login = Login()
    tls: Tls | None = None

    def __str__(self) -> str:
        """The address without credentials, for messages."""
        hosts = ",".join(format_address(host, port) for host, port in self.addresses)
        if self.mode == "cluster":
            return f"redis+cluster://{hosts}"
        if self.mode == "sentinel":
            return f"redis+sentinel://{hosts}/{self.master_name}/{self.db}"
        return f"{'rediss' if self.tls else 'redis'}://{hosts}/{self.db}"


StoreTarget = SqliteTarget | RedisTarget | MemoryTarget


def format_address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
