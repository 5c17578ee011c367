"""PURE: what the preview calls things, in Chinese and English."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from menu_worker.steps import ChangeKind

if TYPE_CHECKING:
    from menu_worker.menu import Rule

CHANGES: Final = {
    ChangeKind.ADDED: "新增 added",
    ChangeKind.REMOVED: "删除 removed",
    ChangeKind.MOVED: "移动 moved",
    ChangeKind.RENAMED: "改名 renamed",
    ChangeKind.RETARGETED: "改目标 retargeted",
    ChangeKind.RETYPED: "改类型 retyped",
}
TYPES: Final = {
    "click": "点击 click",
    "view": "网页 view",
    "scancode_push": "扫码 scancode_push",
    "scancode_waitmsg": "扫码等待 scancode_waitmsg",
    "pic_sysphoto": "拍照 pic_sysphoto",
    "pic_photo_or_album": "拍照或相册 pic_photo_or_album",
    "pic_weixin": "相册 pic_weixin",
    "location_select": "位置 location_select",
    "miniprogram": "小程序 miniprogram",
    "media_id": "素材 media_id",
    "view_limited": "图文 view_limited",
    "article_id": "文章 article_id",
    "article_view_limited": "文章页 article_view_limited",
    "text": "文字 text",
    "img": "图片 img",
    "voice": "语音 voice",
    "video": "视频 video",
    "news": "图文 news",
}
_PHONES: Final = {"1": "iOS", "2": "Android", "3": "其他手机 other phones"}


def audience(rule: Rule) -> str:
    """Whom a conditional menu is for."""
    return "，".join(_condition(name, value) for name, value in rule.fields)


def _condition(name: str, value: str) -> str:
    if name == "tag_id":
        return f"标签 {value} · users with tag {value}"
    if name == "client_platform_type":
        return _PHONES.get(value, value)
    return f"{name} = {value}"
