"""PURE: what is printed when the local world is ready. Every line of it works when pasted."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from zhongkong.local_world import plan

if TYPE_CHECKING:
    from pathlib import Path


def welcome(base: int, folder: Path, python: str) -> str:
    """Addresses, and the lines to paste. Keys are read from their files, so none is shown."""
    home = folder.absolute()
    emulator = plan.url(base, "emulator")
    return f"""
The local world is ready. Ctrl-C ends it.

  WeChat, emulated   {emulator}   (a phone; its controls: curl {emulator}/_emulator)
  token service      {plan.url(base, "token service")}
  its page           {plan.url(base, "token service, internal")}/
  callback gateway   {plan.url(base, "callback gateway")}
  its page           {plan.url(base, "callback gateway, internal")}/
  settings and keys  {home}   (admin.key opens the pages)

Fetch a token, as your services do:

  {_curl(home / plan.ORDERS_KEY, plan.token_url(base))}

See how the service is, as its operators do:

  {_curl(home / plan.ADMIN_KEY, plan.status_url(base))}
  {_status(home, python)}

Send a message as a user does; WeChat, emulated, signs, encrypts and sends it, and shows the reply:

  {_push(plan.pushes_url(base))}
"""


def _curl(key_file: Path, address: str) -> str:
    """A line for any shell and any folder."""
    return f'curl -H "Authorization: Bearer $(cat {shlex.quote(str(key_file))})" {address}'


def _push(address: str) -> str:
    message = f'{{"user": "{plan.USER}", "text": "help"}}'
    return f"curl -d {shlex.quote(message)} {shlex.quote(address)}"


def _status(home: Path, python: str) -> str:
    words = [python, "-m", "token_service", "status"]
    words += ["--config", str(home / plan.TOKEN_SERVICE_CONFIG)]
    words += ["--key-file", str(home / plan.ADMIN_KEY)]
    return shlex.join(words)
