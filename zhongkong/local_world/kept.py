"""The secrets that are made once and stay the same from run to run, each in a file of its own."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from zhongkong.local_world import names
from zhongkong.runtime.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from zhongkong.runtime.clock import Randomness


@dataclass(frozen=True, slots=True)
class Form:
    """What a secret looks like; what looks otherwise is made anew."""

    fits: re.Pattern[str]
    make: Callable[[Randomness], str]


def _hexadecimal(length: int) -> Callable[[Randomness], str]:
    return lambda randomness: randomness.token((length + 1) // 2)[:length]


def _signing_secret(randomness: Randomness) -> str:
    return "whsec_" + base64.b64encode(bytes.fromhex(randomness.token(32))).decode("ascii")


_KEY: Final = Form(re.compile(r"[A-Za-z0-9]{32}"), _hexadecimal(32))
FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        names.ORDERS_KEY: _KEY,
        names.MENUS_KEY: _KEY,
        names.ADMIN_KEY: _KEY,
        names.APP_SECRET: _KEY,
        # These two may be those of an account whose server configuration is there already.
        names.CALLBACK_TOKEN: Form(re.compile(r"[A-Za-z0-9]{3,32}"), _hexadecimal(32)),
        names.CALLBACK_AES_KEY: Form(re.compile(r"[A-Za-z0-9]{43}"), _hexadecimal(43)),
        names.TRADING_SECRET: Form(re.compile(r"whsec_[A-Za-z0-9+/]{43}="), _signing_secret),
    }
)


def keep(folder: Path, randomness: Randomness, *, app_secret: bool) -> dict[str, str]:
    """Every secret by the name of its file, made where it isn't there. Raises OSError.

    `app_secret`: whether the account's own is among them; a real one is never on disk.
    """
    return {
        name: _kept(folder / name, form, randomness)
        for name, form in FORMS.items()
        if app_secret or name != names.APP_SECRET
    }


def _kept(path: Path, form: Form, randomness: Randomness) -> str:
    try:
        found = path.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        found = ""
    if form.fits.fullmatch(found):
        path.chmod(0o600)
        return found
    made = form.make(randomness)
    write_whole(path, f"{made}\n".encode())
    return made
