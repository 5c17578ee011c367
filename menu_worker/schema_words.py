"""PURE: what an editor says of types and fields while one types."""

from __future__ import annotations

from typing import Final

from menu_worker.limits import KEY_BYTES, URL_BYTES

DOES: Final = {
    "click": "pushes a CLICK event with `key`",
    "view": "opens the page `url`",
    "scancode_push": "opens the scanner, then pushes `key`",
    "scancode_waitmsg": "opens the scanner and waits for the reply",
    "pic_sysphoto": "opens the camera",
    "pic_photo_or_album": "asks: camera or album",
    "pic_weixin": "opens the album",
    "location_select": "opens the map",
    "miniprogram": "opens `pagepath` of the mini-program; old phones open `url`",
    "media_id": "sends the permanent material",
    "view_limited": "opens the article of the permanent material",
    "article_id": "sends the card of the published article",
    "article_view_limited": "opens the published article",
}
NOTES: Final = {
    "key": f"What the event carries; at most {KEY_BYTES} bytes.",
    "url": f"Web address from http:// or https:// on; at most {URL_BYTES} bytes.",
    "appid": "AppID of a mini-program that is linked to the account.",
    "pagepath": "Page of the mini-program, without a leading slash.",
    "media_id": "Id of permanent material.",
    "article_id": "Id of a published article.",
}
