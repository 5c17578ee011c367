from __future__ import annotations

from pathlib import Path

import pytest

from zhongkong.runtime.storage import (
    MemoryTarget,
    RedisTarget,
    SqliteTarget,
    StoreUrlError,
    parse_store_url,
)
from zhongkong.runtime.store_targets import Login, Tls

BASE = Path("/etc/zhongkong")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        pytest.param("sqlite:///var/x.db", "/etc/zhongkong/var/x.db", id="three slashes: relative"),
        pytest.param("sqlite:////abs/x.db", "/abs/x.db", id="four slashes: absolute"),
        pytest.param("sqlite:///a%20b.db", "/etc/zhongkong/a b.db", id="percent-encoded"),
        pytest.param("sqlite:///x%3F.db", "/etc/zhongkong/x?.db", id="an encoded question mark"),
    ],
)
def test_a_sqlite_path_counts_from_the_config_files_folder(url: str, path: str) -> None:
    assert parse_store_url(url, BASE) == SqliteTarget(Path(path))


def test_memory_is_a_store_without_a_place() -> None:
    assert parse_store_url("memory://", BASE) == MemoryTarget()


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("redis://localhost", RedisTarget("single", (("localhost", 6379),))),
        ("redis://h:7000/3", RedisTarget("single", (("h", 7000),), db=3)),
        ("redis://[::1]:7000/0", RedisTarget("single", (("::1", 7000),))),
        ("redis://:p%40%2Fw@h", RedisTarget("single", (("h", 6379),), login=Login("", "p@/w"))),
        ("redis://u:p@h", RedisTarget("single", (("h", 6379),), login=Login("u", "p"))),
        (
            "rediss://h/1?ssl_ca_certs=ca.pem&ssl_check_hostname=false",
            RedisTarget(
                "single",
                (("h", 6379),),
                db=1,
                tls=Tls(ca_certs=BASE / "ca.pem", check_hostname=False),
            ),
        ),
        (
            "redis+sentinel://u:p@a:1,b/main/2?sentinel_password=s%20p",
            RedisTarget(
                "sentinel",
                (("a", 1), ("b", 26379)),
                db=2,
                login=Login("u", "p"),
                master_name="main",
                sentinel_login=Login("", "s p"),
            ),
        ),
        (
            "redis+cluster://a:1,b:2?ssl=true&ssl_cert_reqs=none",
            RedisTarget("cluster", (("a", 1), ("b", 2)), tls=Tls(cert_reqs="none")),
        ),
    ],
)
def test_a_redis_address_is_read_in_full(url: str, target: RedisTarget) -> None:
    assert parse_store_url(url, BASE) == target


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        pytest.param("postgres://u:hunter2@h/db", "a store is sqlite", id="unknown scheme"),
        pytest.param("x.db", "a store is sqlite", id="a bare path"),
        pytest.param("sqlite://var/x.db", "three slashes", id="two slashes"),
        pytest.param("sqlite:///", "path of a file", id="no path"),
        pytest.param("sqlite:///:memory:", "path of a file", id="sqlite's memory"),
        pytest.param("sqlite:///var/", "path of a file", id="a folder"),
        pytest.param("sqlite:///x.db?mode=ro", "no options", id="an option for sqlite"),
        pytest.param("memory://x", "nothing after", id="memory with a name"),
        pytest.param("redis://:hunter2@", "host:port", id="no host"),
        pytest.param("redis://u:hunter2@h:port", "host:port", id="a port that is no number"),
        pytest.param("redis://u:hunter2@h:70000", "host:port", id="a port out of range"),
        pytest.param("redis://u:hunter2@h/zero", "number of the database", id="a named database"),
        pytest.param("redis://u:hunter2@a,b/0", "several hosts", id="two hosts"),
        pytest.param("redis://u:hunter2@h?x=1", "doesn't know", id="unknown option"),
        pytest.param("redis://u:hunter2@h?ssl_ca_certs=x", "rediss://", id="tls option, no tls"),
        pytest.param("redis+sentinel://u:hunter2@h", "master's name", id="no master's name"),
        pytest.param("redis+cluster://u:hunter2@h/1", "only 0", id="a database in a cluster"),
        pytest.param("rediss://u:hunter2@h?ssl_cert_reqs=x", "ssl_cert_reqs", id="bad cert_reqs"),
        pytest.param("rediss://u:hunter2@h?ssl_check_hostname=x", "true or false", id="bad flag"),
        pytest.param("redis://u:hunter2/x@h/0", "percent-encoded", id="a slash in the password"),
        pytest.param("redis://u:hunter2?x@h/0", "percent-encoded", id="a ? in the password"),
        pytest.param("redis://u:hunter2#x@h/0", "percent-encoded", id="a # in the password"),
        pytest.param("redis://u:hunter2@x@h/0", "percent-encoded", id="an @ in the password"),
        pytest.param("redis://u:hunter2@[h/0", "can't be read", id="a bracket"),
        pytest.param("redis://u:hunter2\u2100@h", "can't be read", id="odd letters"),
    ],
)
def test_a_senseless_address_is_refused_with_the_remedy_and_without_the_password(
    url: str, remedy: str
) -> None:
    with pytest.raises(StoreUrlError) as refusal:
        parse_store_url(url, BASE)
    assert remedy in str(refusal.value)
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://u:hunter2@h/0", "redis://h:6379/0"),
        ("rediss://u:hunter2@[::1]/0", "rediss://[::1]:6379/0"),
        (
            "redis+sentinel://u:hunter2@a,b/m/0?sentinel_password=hunter2",
            "redis+sentinel://a:26379,b:26379/m/0",
        ),
        ("redis+cluster://u:hunter2@a,b", "redis+cluster://a:6379,b:6379"),
    ],
)
def test_a_target_shows_its_place_and_never_a_password(url: str, shown: str) -> None:
    target = parse_store_url(url, BASE)
    assert str(target) == shown
    assert "hunter2" not in repr(target)
