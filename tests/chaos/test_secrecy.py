"""Nothing that a process prints, shows or measures holds a credential.

Every other test of this folder checks the same at its end; here the search itself is tested, and a
life with as many kinds of output as possible.
"""

from __future__ import annotations

import signal

import pytest

from tests.chaos.deployment import Deployment
from tests.chaos.patience import eventually
from tests.fixtures.processes import spawn

KEY = "ENCRYPTION_KEY"


@pytest.mark.slow
async def test_no_output_of_a_whole_life_holds_a_token_secret_or_key(
    deployment: Deployment,
) -> None:
    account = await deployment.account("shop")
    environ = {KEY: deployment.new_key("the encryption key")}
    settings = {"encryption_keys": [{"env": KEY}], "log_level": "debug"}
    replica = deployment.replica("one", settings=settings, environ=environ, launch=spawn)
    await replica.start()
    first = await replica.get("shop", "?wait=20")
    await replica.rotate("shop")
    await replica.reject("shop", first.version)
    await deployment.wechat.control("POST", "/tokens/kill", {"appid": account.appid})
    await replica.reject("shop", (await replica.get("shop")).version)
    await replica.get("shop", f"?access_token={first.value}&secret={account.secret}")
    await refused_with_a_wrong_secret(deployment)
    await replica.status()
    await replica.metrics()
    for words in (("status",), ("status", "--json"), ("config", "check")):
        assert (await replica.command(*words)).code == 0
    assert await replica.end(signal.SIGTERM) == 0

    assert await deployment.spilled() == []
    assert len(await deployment.wechat.issued(account.appid)) >= 2


async def refused_with_a_wrong_secret(deployment: Deployment) -> None:
    """WeChat quotes the secret in nothing, but the service has a failure to tell of."""
    account = await deployment.account("market")
    deployment.secret_file(account).write_text(deployment.new_key("a wrong secret")[:32])
    replica = deployment.replica("two")
    await replica.start()

    async def failed() -> bool:
        return bool((await replica.slot("market"))["failure"])

    await eventually(failed, "the wrong secret was refused")


async def test_the_search_finds_what_it_looks_for(deployment: Deployment) -> None:
    account = await deployment.account("shop")
    replica = deployment.replica("one")
    await replica.start()
    value = (await replica.get("shop", "?wait=20")).value

    replica.said.append(f"a line with …{value[40:100]}… and secret={account.secret}")

    found = await deployment.spilled()
    replica.said.clear()
    assert found == [
        "what one said holds the secret of shop",
        "what one said holds token 1 of shop",
    ]
