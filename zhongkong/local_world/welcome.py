"""PURE: what is printed when the local world is ready. Every command in it works when pasted."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zhongkong.local_world import names, plan

if TYPE_CHECKING:
    from pathlib import Path

    from zhongkong.local_world.plan import RealWeChat


@dataclass(frozen=True, slots=True)
class Facts:
    """What the text depends on. Commands run with `python`; `folder` is the world's own."""

    base: int
    folder: Path
    python: str
    real: RealWeChat | None = None
    menu: Path | None = None
    menu_trouble: str | None = None
    """Why the menu isn't live; None when it is."""
    token_trouble: str | None = None
    """Why the real WeChat gave no token; None when it did."""


def welcome(facts: Facts) -> str:
    """Addresses, and the commands to paste. Keys are read from their files, so none is shown."""
    return _emulated(facts) if facts.real is None else _real(facts, facts.real)


def _emulated(facts: Facts) -> str:
    base, home = facts.base, facts.folder.absolute()
    return f"""
The local world is ready. Ctrl-C ends it.

  phone             {plan.url(base, "emulator")}/   (WeChat, emulated: open it, tap the menu)
{_services(facts)}
{_folder(home)}
{_menu_trouble(facts)}
Fetch a token, as your services do:

  {_curl(home / names.ORDERS_KEY, plan.token_url(base))}

Say something as a user does: through WeChat, emulated, which signs, encrypts and sends it; or to
the gateway alone, and see what it answers:

  {_push(base)}
  {_command(facts, "callback_gateway", "send", "--content", "持仓")}

See how the token service is, as its operators do:

  {_status(facts)}
"""


def _real(facts: Facts, real: RealWeChat) -> str:
    base, home = facts.base, facts.folder.absolute()
    return f"""
The local world is ready, before the real WeChat ({real.appid}). Ctrl-C ends it.

{_services(facts)}
{_folder(home)}
{_token_trouble(facts)}{_menu_trouble(facts) if facts.menu else _menu_to_come(facts)}
In WeChat's console, best that of a test account (接口测试号): whoever else holds the AppSecret and
asks for tokens may end those in use here, and the other way round.

  IP allowlist      this machine's public address; while WeChat refuses it, the status names it
  URL               https://YOUR-TUNNEL/callback/{names.ACCOUNT}
  Token             cat {_quoted(home / names.CALLBACK_TOKEN)}
{_encryption(real, home)}

WeChat calls ports 80 and 443 of public addresses alone. So a tunnel (cloudflared, frp, ngrok …)
has to lead to {plan.url(base, "callback gateway")}, path and query unchanged. One that shows a
page of its own first won't do; where its address changes at each start, so does the URL.

Fetch a token, as your services do; see how the token service is:

  {_curl(home / names.ORDERS_KEY, plan.token_url(base))}
  {_status(facts)}
"""


def _services(facts: Facts) -> str:
    base = facts.base
    rows = [
        ("token service", _with_page(base, "token service")),
        ("callback gateway", _with_page(base, "callback gateway")),
    ]
    if facts.menu:
        rows.append(("menu worker", f"page {plan.url(base, 'menu worker, internal')}/"))
    rows.append(("trading bot", f"{plan.url(base, 'trading bot')}   (a sample handler)"))
    if facts.menu:
        file = facts.menu.absolute()
        rows.append(("menu", f"{file}   (change it, and it is live within seconds)"))
    return "\n".join(f"  {name:<18}{where}" for name, where in rows)


def _folder(home: Path) -> str:
    key = f"cat {_quoted(home / names.ADMIN_KEY)}"
    return f"  key of the pages  {key}\n  settings, keys    {home}"


def _with_page(base: int, service: str) -> str:
    return f"{plan.url(base, service)}   page {plan.url(base, f'{service}, internal')}/"


def _token_trouble(facts: Facts) -> str:
    if facts.token_trouble is None:
        return ""
    return f"""
No token yet. The token service says:

  {facts.token_trouble}

It tries again by itself. Another AppSecret is another WECHAT_SECRET, and takes a new start.
"""


def _menu_trouble(facts: Facts) -> str:
    if facts.menu_trouble is None:
        return ""
    return f"""
The menu isn't live: {facts.menu_trouble}. The lines of menu-worker above say why, and
so does this command. What you change in the file is taken over without a restart.

  {_command(facts, "menu_worker", "validate")}
"""


def _menu_to_come(facts: Facts) -> str:
    file = facts.folder.absolute() / names.MENU
    return f"""
The live menu is left alone, as no file is in {file.parent}.
To keep it in a file, make one of what is live, and start again:

  {_command(facts, "menu_worker", "import", "--account", names.ACCOUNT, "--out", str(file))}
"""


def _encryption(real: RealWeChat, home: Path) -> str:
    if real.plaintext:
        return "  mode              明文模式, in clear, as callbacks of test accounts always are"
    return f"""\
  EncodingAESKey    cat {_quoted(home / names.CALLBACK_AES_KEY)}
  mode              安全模式, safe; a test account has no key, for it start with --plaintext"""


def _curl(key_file: Path, address: str) -> str:
    """A line for any shell and any folder."""
    return f'curl -H "Authorization: Bearer $(cat {_quoted(key_file)})" {address}'


def _push(base: int) -> str:
    message = f'{{"user": "{names.USER}", "text": "买入"}}'
    return f"curl -d {shlex.quote(message)} {shlex.quote(plan.pushes_url(base))}"


def _status(facts: Facts) -> str:
    key_file = facts.folder.absolute() / names.ADMIN_KEY
    return _command(facts, "token_service", "status", "--key-file", str(key_file))


def _command(facts: Facts, service: str, *words: str) -> str:
    config = facts.folder.absolute() / f"{service}.yaml"
    first, *rest = words
    return shlex.join([facts.python, "-m", service, first, "--config", str(config), *rest])


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
