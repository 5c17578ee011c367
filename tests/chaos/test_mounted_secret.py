"""A secret is replaced the way Kubernetes does it: by turning one symbolic link."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.deployment import Account, Deployment
from tests.chaos.patience import eventually


class Mount:
    """A mounted Secret: each file is a link into `..data`, which is a link to the data of now."""

    def __init__(self, folder: Path, file: str) -> None:
        self.folder = folder
        self._file = file
        self._count = 0
        self.path = folder / file
        folder.mkdir()

    def fill(self, text: str) -> None:
        """Write a new folder, and turn the link to it in one step."""
        self._count += 1
        data = self.folder / f"..2026_01_01_00_00_{self._count:02}"
        data.mkdir()
        (data / self._file).write_text(text)
        link = self.folder / "..data_tmp"
        link.symlink_to(data.name)
        link.replace(self.folder / "..data")
        if not self.path.is_symlink():
            self.path.symlink_to(Path("..data", self._file))


@pytest.mark.slow
async def test_a_secret_replaced_in_its_mount_takes_effect_without_a_restart(
    deployment: Deployment, tmp_path: Path
) -> None:
    account = await deployment.account("shop")
    mount = Mount(tmp_path / "mount", "app-secret")
    mount.fill(deployment.new_key("the secret of before")[:32])
    replica = deployment.replica("one")
    deployment.configure(replica, _settings(deployment, account, mount))
    await replica.start()

    async def refused() -> bool:
        answer = await replica.get("shop", "?wait=1")
        return (answer.status, answer.document.get("errcode")) == (503, 40125)

    await eventually(refused, "the secret of before was refused")

    mount.fill(account.secret)

    async def given() -> bool:
        return (await replica.get("shop", "?wait=1")).status == 200

    await eventually(given, "the new secret is in use")
    slot = await replica.slot("shop")
    assert (slot["failure"], slot["alarms"]) == (None, [])
    assert await deployment.wechat.token_calls(account.appid) == 2


def _settings(deployment: Deployment, account: Account, mount: Mount) -> dict[str, object]:
    entry = {"name": account.name, "appid": account.appid, "secret": {"file": str(mount.path)}}
    return {
        "store": "sqlite:///tokens.db",
        "wechat": {"base_urls": [deployment.wechat.process.url]},
        "accounts": [entry],
    }
