"""Whether the world talks to the real WeChat, and as whom: from the command line and environment.

The AppSecret isn't read here: the token service alone gets it, by its variable.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from zhongkong.local_world.plan import SECRET_VARIABLE, RealWeChat
from zhongkong.runtime.startup import CannotStart

if TYPE_CHECKING:
    from collections.abc import Mapping

APPID_VARIABLE: Final = "WECHAT_APPID"

APPID_FORM: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def real_wechat(
    environ: Mapping[str, str], *, wanted: bool | None, url: str, plaintext: bool
) -> RealWeChat | None:
    """None for the emulated one. `wanted` None: the variables decide. Raises CannotStart."""
    missing = [
        name for name in (APPID_VARIABLE, SECRET_VARIABLE) if not environ.get(name, "").strip()
    ]
    if wanted is False or (wanted is None and len(missing) == 2):
        return None
    if missing:
        one_is = "is" if len(missing) == 1 else "are"
        raise CannotStart(
            f"{' and '.join(missing)} {one_is} not set: the real WeChat takes the account's AppID "
            f"as {APPID_VARIABLE} and its AppSecret as {SECRET_VARIABLE}; --emulated goes without"
        )
    appid = environ[APPID_VARIABLE].strip()
    if not APPID_FORM.fullmatch(appid):
        # Not shown: it may be the AppSecret.
        raise CannotStart(
            f"{APPID_VARIABLE} is no AppID; WeChat's console shows it as wx0123456789abcdef"
        )
    return RealWeChat(appid, url, plaintext=plaintext)
