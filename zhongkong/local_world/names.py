"""PURE: who is in the local world, and what lies in its folder."""

from __future__ import annotations

from typing import Final

ACCOUNT: Final = "shop"

# Of the emulated world alone.
APPID: Final = "wx0123456789abcdef"
ORIGINAL_ID: Final = "gh_0123456789ab"
USER: Final = "oXiaoMing0000000000000000001"
MEMBER: Final = "oXiaoHong0000000000000000002"
STRANGER: Final = "oLaoWang00000000000000000003"
MEMBERS_TAG: Final = 2
"""The sample menu has other buttons for users with this tag."""

MENUS_CLIENT: Final = "menus"
MENU_PATHS: Final = ("/cgi-bin/menu/*", "/cgi-bin/get_current_selfmenu_info")
"""What the menu worker may call, as the client of that name."""

EMULATOR_CONFIG: Final = "emulator.yaml"
TOKEN_SERVICE_CONFIG: Final = "token_service.yaml"
CALLBACK_GATEWAY_CONFIG: Final = "callback_gateway.yaml"
MENU_WORKER_CONFIG: Final = "menu_worker.yaml"

MENUS: Final = "menus"
MENU: Final = f"{MENUS}/{ACCOUNT}.yaml"
MENU_PATTERN: Final = f"{MENUS}/*.yaml"

STORE: Final = "token_service.db"
INBOX: Final = "callback_gateway.db"
MENU_STORE: Final = "menu_worker.db"

ORDERS_KEY: Final = "orders.key"
MENUS_KEY: Final = "menus.key"
ADMIN_KEY: Final = "admin.key"
APP_SECRET: Final = "shop.secret"
CALLBACK_TOKEN: Final = "callback.token"
CALLBACK_AES_KEY: Final = "callback.aes_key"
TRADING_SECRET: Final = "trading.secret"

OWNER: Final = "wechat.account"
"""Holds whose folder this is: an appid, or EMULATED."""
EMULATED: Final = "emulated"
