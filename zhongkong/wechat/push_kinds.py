"""The messages and events that WeChat documents, and the fields that are numbers or lists. PURE.

Source: WeChat's documentation, "Receiving standard messages", "Receiving event pushes", "Custom
menu event pushes", and the pages of the single features. How pushes are read: `catalogue`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_BUTTON: Final = ("event_key",)
_SCAN: Final = ("event_key", "scan_code_info")
_PICTURES: Final = ("event_key", "send_pics_info")
_GOOD_UNTIL: Final = ("expired_time",)
_FAILED: Final = ("fail_time", "fail_reason")
_USER_INFO: Final = ("open_id", "app_id", "revoke_info")
_CARD: Final = ("card_id", "user_card_code")

MESSAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("content", "bizmsgmenuid"),
    "image": ("pic_url", "media_id"),
    "voice": ("media_id", "format", "media_id_16k", "recognition"),
    "video": ("media_id", "thumb_media_id"),
    "shortvideo": ("media_id", "thumb_media_id"),
    "location": ("location_x", "location_y", "scale", "label"),
    "link": ("title", "description", "url"),
    "miniprogrampage": ("title", "app_id", "page_path", "thumb_url", "thumb_media_id"),
}
"""MsgType, and what such a message has beside the common fields, `msg_id`, `msg_data_id`, `idx`."""

EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "CLICK": _BUTTON,
    "VIEW": ("event_key", "menu_id"),
    "scancode_push": _SCAN,
    "scancode_waitmsg": _SCAN,
    "pic_sysphoto": _PICTURES,
    "pic_photo_or_album": _PICTURES,
    "pic_weixin": _PICTURES,
    "location_select": ("event_key", "send_location_info"),
    "view_miniprogram": ("event_key", "menu_id"),
    "subscribe": ("event_key", "ticket"),
    "unsubscribe": _BUTTON,
    "SCAN": ("event_key", "ticket"),
    "LOCATION": ("latitude", "longitude", "precision"),
    "TEMPLATESENDJOBFINISH": ("msg_id", "status"),
    "MASSSENDJOBFINISH": (
        "msg_id",
        "status",
        "total_count",
        "filter_count",
        "sent_count",
        "error_count",
        "copyright_check_result",
        "article_url_result",
    ),
    "PUBLISHJOBFINISH": ("publish_event_info",),
    "subscribe_msg_popup_event": ("subscribe_msg_popup_event",),
    "subscribe_msg_change_event": ("subscribe_msg_change_event",),
    "subscribe_msg_sent_event": ("subscribe_msg_sent_event",),
    "kf_create_session": ("kf_account",),
    "kf_close_session": ("kf_account",),
    "kf_switch_session": ("from_kf_account", "to_kf_account"),
    "qualification_verify_success": _GOOD_UNTIL,
    "naming_verify_success": _GOOD_UNTIL,
    "annual_renew": _GOOD_UNTIL,
    "verify_expired": _GOOD_UNTIL,
    "qualification_verify_fail": _FAILED,
    "naming_verify_fail": _FAILED,
    "user_info_modified": _USER_INFO,
    "user_authorization_revoke": _USER_INFO,
    "user_authorization_cancellation": _USER_INFO,
    "card_pass_check": _CARD,
    "card_not_pass_check": _CARD,
    "card_pay_order": _CARD,
    "card_sku_remind": _CARD,
    "user_get_card": _CARD,
    "user_gifting_card": _CARD,
    "user_del_card": _CARD,
    "user_consume_card": _CARD,
    "user_view_card": _CARD,
    "user_pay_from_pay_cell": _CARD,
    "user_enter_session_from_card": _CARD,
    "update_member_card": _CARD,
    "submit_membercard_user_info": _CARD,
    "poi_check_notify": ("uniq_id", "poi_id", "result", "msg"),
    "WifiConnected": (
        "connect_time",
        "expire_time",
        "vendor_id",
        "place_id",
        "shop_id",
        "device_no",
    ),
    "merchant_order": ("order_id", "order_status", "product_id", "sku_info"),
    "user_enter_tempsession": ("session_from",),
    "wxa_media_check": ("trace_id", "result"),
    "debug_demo": ("debug_str",),
}
"""Event as WeChat writes it, and what such an event has beside the common fields."""

KNOWN_MESSAGES: Final = frozenset(MESSAGES)
KNOWN_EVENTS: Final = frozenset(event.lower() for event in EVENTS)
"""Lower case, like `Push.name`."""

INTEGERS: Final = frozenset(
    {
        "article_idx",
        "audit_state",
        "can_reprint",
        "check_state",
        "connect_time",
        "count",
        "create_time",
        "errcode",
        "error_code",
        "error_count",
        "expire_time",
        "expired_time",
        "fail_idx",
        "fail_time",
        "filter_count",
        "idx",
        "isrisky",
        "need_replace_content",
        "need_show_reprint_source",
        "order_status",
        "original_article_type",
        "popup_scene",
        "prob",
        "publish_status",
        "scale",
        "sent_count",
        "status_code",
        "total_count",
        "user_declare_state",
        "version",
    }
)
DECIMALS: Final = frozenset({"latitude", "location_x", "location_y", "longitude", "precision"})
LISTS: Final = frozenset({"fail_idx", "item", "list", "pic_list", "result_list"})
"""Fields that are numbers and lists wherever they stand. All others are text, ids above all."""
