"""Every message and event of WeChat's catalogue (4.8), filled in as it may come. Pure data.

Common fields (names, time, MsgType, MsgId) are added in messages.py.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEDIA: Final = "emulated-media-id-0000000000000000000000000000000000000000000001"
_SHOP: Final = "https://shop.example"
_IN_A_YEAR: Final = 31_536_000

MESSAGES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "text": {"Content": "你好"},
        "image": {"PicUrl": "https://mmbiz.example/p.jpg", "MediaId": _MEDIA},
        "voice": {"MediaId": _MEDIA, "Format": "amr", "MediaId16K": f"{_MEDIA}-16k"},
        "video": {"MediaId": _MEDIA, "ThumbMediaId": f"{_MEDIA}-thumb"},
        "shortvideo": {"MediaId": _MEDIA, "ThumbMediaId": f"{_MEDIA}-thumb"},
        "location": {
            "Location_X": 23.134521,
            "Location_Y": 113.358803,
            "Scale": 20,
            "Label": "广州市",
        },
        "link": {"Title": "标题", "Description": "描述", "Url": f"{_SHOP}/a?b=1&c=2"},
        "miniprogrampage": {
            "Title": "标题",
            "AppId": "wx0000000000000001",
            "PagePath": "pages/index",
            "ThumbUrl": "https://mmbiz.example/t.jpg",
            "ThumbMediaId": f"{_MEDIA}-thumb",
        },
    }
)

_SCANNED: Final = {"ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "1"}}
_PICTURES: Final = {
    "SendPicsInfo": {
        "Count": 1,
        "PicList": [{"PicMd5Sum": "1b5f7c23b5bf75682a53e7b6d163e185"}],
    }
}
_PLACE: Final = {
    "SendLocationInfo": {
        "Location_X": 23.0,
        "Location_Y": 113.0,
        "Scale": 15,
        "Label": "广州市海珠区",
        "Poiname": "",
    }
}
_VERIFIED: Final = {"ExpiredTime": _IN_A_YEAR}
_REFUSED: Final = {"FailTime": 1, "FailReason": "材料不全"}
_REVOKED: Final = {"OpenID": "", "AppID": "", "RevokeInfo": "1"}
_CARD: Final = {"CardId": "pCARD0000000000000000000001", "UserCardCode": "12312312"}
_CARD_EVENTS: Final = (
    "card_pass_check",
    "card_not_pass_check",
    "card_pay_order",
    "card_sku_remind",
    "user_get_card",
    "user_gifting_card",
    "user_del_card",
    "user_consume_card",
    "user_view_card",
    "user_pay_from_pay_cell",
    "user_enter_session_from_card",
    "update_member_card",
    "submit_membercard_user_info",
)

EVENTS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "subscribe": {"EventKey": ""},
        "unsubscribe": {"EventKey": ""},
        "SCAN": {"EventKey": "1", "Ticket": "gQEmulatedTicket"},
        "CLICK": {"EventKey": "KEY"},
        "VIEW": {"EventKey": f"{_SHOP}/", "MenuId": 208396938},
        "scancode_push": {"EventKey": "KEY", **_SCANNED},
        "scancode_waitmsg": {"EventKey": "KEY", **_SCANNED},
        "pic_sysphoto": {"EventKey": "KEY", **_PICTURES},
        "pic_photo_or_album": {"EventKey": "KEY", **_PICTURES},
        "pic_weixin": {"EventKey": "KEY", **_PICTURES},
        "location_select": {"EventKey": "KEY", **_PLACE},
        "view_miniprogram": {"EventKey": "pages/index", "MenuId": 208396938},
        "LOCATION": {"Latitude": 23.137466, "Longitude": 113.352425, "Precision": 119.385040},
        "TEMPLATESENDJOBFINISH": {"MsgID": 200163836, "Status": "success"},
        "MASSSENDJOBFINISH": {
            "MsgID": 1000001625,
            "Status": "send success",
            "TotalCount": 100,
            "FilterCount": 80,
            "SentCount": 75,
            "ErrorCount": 5,
            "CopyrightCheckResult": {"Count": 0, "ResultList": "", "CheckState": 2},
            "ArticleUrlResult": {
                "Count": 1,
                "ResultList": [{"ArticleIdx": 1, "ArticleUrl": f"{_SHOP}/1"}],
            },
        },
        "PUBLISHJOBFINISH": {
            "PublishEventInfo": {
                "publish_id": "2247503051",
                "publish_status": 0,
                "article_id": "b5O2OUs25HBxRceL7hfReg-U9QGeq9zQjiDvyWP4Hq4",
                "article_detail": {
                    "count": 1,
                    "item": [{"idx": 1, "article_url": f"{_SHOP}/1"}],
                },
            }
        },
        "subscribe_msg_popup_event": {
            "SubscribeMsgPopupEvent": {
                "List": {
                    "TemplateId": "VRR0UEO9VJOLs0MHlU0OilqX6MVFDwH3",
                    "SubscribeStatusString": "accept",
                    "PopupScene": 2,
                }
            }
        },
        "subscribe_msg_change_event": {
            "SubscribeMsgChangeEvent": {
                "List": {
                    "TemplateId": "VRR0UEO9VJOLs0MHlU0OilqX6MVFDwH3",
                    "SubscribeStatusString": "reject",
                }
            }
        },
        "subscribe_msg_sent_event": {
            "SubscribeMsgSentEvent": {
                "List": {
                    "TemplateId": "VRR0UEO9VJOLs0MHlU0OilqX6MVFDwH3",
                    "MsgID": "1864323726461255680",
                    "ErrorCode": 0,
                    "ErrorStatus": "success",
                }
            }
        },
        "kf_create_session": {"KfAccount": "test1@test"},
        "kf_close_session": {"KfAccount": "test1@test"},
        "kf_switch_session": {"FromKfAccount": "test1@test", "ToKfAccount": "test2@test"},
        "qualification_verify_success": _VERIFIED,
        "naming_verify_success": _VERIFIED,
        "annual_renew": _VERIFIED,
        "verify_expired": _VERIFIED,
        "qualification_verify_fail": _REFUSED,
        "naming_verify_fail": _REFUSED,
        "user_info_modified": _REVOKED,
        "user_authorization_revoke": _REVOKED,
        "user_authorization_cancellation": _REVOKED,
        **dict.fromkeys(_CARD_EVENTS, _CARD),
        "poi_check_notify": {"UniqId": "123adb", "PoiId": "3", "Result": "fail", "Msg": "x"},
        "WifiConnected": {
            "ConnectTime": 0,
            "ExpireTime": 0,
            "VendorId": "3001224419",
            "ShopId": "1",
            "DeviceNo": "DeviceNo",
        },
        "merchant_order": {
            "OrderId": "order1",
            "OrderStatus": 2,
            "ProductId": "product1",
            "SkuInfo": "10001:1000012",
        },
        "user_enter_tempsession": {"SessionFrom": "sessionFrom"},
        "wxa_media_check": {"trace_id": "967e945cd8a3e458f3c74dcb886068e9", "version": 2},
        "debug_demo": {"debug_str": "hello world"},
    }
)

UNSEEN: Final = frozenset(
    {
        "unsubscribe",
        "TEMPLATESENDJOBFINISH",
        "MASSSENDJOBFINISH",
        "PUBLISHJOBFINISH",
        "qualification_verify_success",
        "naming_verify_success",
        "annual_renew",
        "verify_expired",
        "qualification_verify_fail",
        "naming_verify_fail",
        "user_info_modified",
        "user_authorization_revoke",
        "user_authorization_cancellation",
        "wxa_media_check",
        "poi_check_notify",
    }
)
"""Events that nobody sits in front of a chat for: neither replies nor banners are seen."""
