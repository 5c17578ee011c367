"""A sample of every message and event that WeChat documents, in XML, in JSON, and what it means.

Left out are the fields that all pushes have. The first word of a sample's name is its MsgType or
Event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sample:
    xml: str
    """As WeChat writes it: text in CDATA or bare."""
    json: dict[str, Any]
    """The same, as JSON's values."""
    expected: dict[str, Any]
    """What both have to become."""


SAMPLES: dict[str, Sample] = {}


def sample(name: str, xml: str, json: dict[str, Any], expected: dict[str, Any]) -> None:
    SAMPLES[name] = Sample(xml, json, expected)


sample("text", "<Content><![CDATA[你好]]></Content>", {"Content": "你好"}, {"content": "你好"})
sample(
    "text from a message's menu",
    "<Content>满意</Content><bizmsgmenuid>101</bizmsgmenuid>",
    {"Content": "满意", "bizmsgmenuid": 101},
    {"content": "满意", "bizmsgmenuid": "101"},
)
sample(
    "text from an article",
    "<Content>x</Content><MsgDataId>2247483650</MsgDataId><Idx>1</Idx>",
    {"Content": "x", "MsgDataId": 2247483650, "Idx": 1},
    {"content": "x", "msg_data_id": "2247483650", "idx": 1},
)
sample(
    "image",
    "<PicUrl><![CDATA[http://p.example/1?a=b&c]]></PicUrl><MediaId><![CDATA[m]]></MediaId>",
    {"PicUrl": "http://p.example/1?a=b&c", "MediaId": "m"},
    {"pic_url": "http://p.example/1?a=b&c", "media_id": "m"},
)
sample(
    "voice",
    "<MediaId>m</MediaId><Format>amr</Format><MediaId16K>k</MediaId16K>"
    "<Recognition><![CDATA[腾讯]]></Recognition>",
    {"MediaId": "m", "Format": "amr", "MediaId16K": "k", "Recognition": "腾讯"},
    {"media_id": "m", "format": "amr", "media_id_16k": "k", "recognition": "腾讯"},
)
for _video in ("video", "shortvideo"):
    sample(
        _video,
        "<MediaId>m</MediaId><ThumbMediaId>t</ThumbMediaId>",
        {"MediaId": "m", "ThumbMediaId": "t"},
        {"media_id": "m", "thumb_media_id": "t"},
    )
sample(
    "location",
    "<Location_X>23.134521</Location_X><Location_Y>-113.358803</Location_Y><Scale>20</Scale>"
    "<Label><![CDATA[12]]></Label>",
    {"Location_X": 23.134521, "Location_Y": -113.358803, "Scale": 20, "Label": "12"},
    {"location_x": 23.134521, "location_y": -113.358803, "scale": 20, "label": "12"},
)
sample(
    "link",
    "<Title>t</Title><Description>d</Description><Url>http://l.example/?a=1&amp;b=2</Url>",
    {"Title": "t", "Description": "d", "Url": "http://l.example/?a=1&b=2"},
    {"title": "t", "description": "d", "url": "http://l.example/?a=1&b=2"},
)
sample(
    "miniprogrampage",
    "<Title>t</Title><AppId>wx1</AppId><PagePath>pages/a</PagePath>"
    "<ThumbUrl>http://p.example/1</ThumbUrl><ThumbMediaId>m</ThumbMediaId>",
    {
        "Title": "t",
        "AppId": "wx1",
        "PagePath": "pages/a",
        "ThumbUrl": "http://p.example/1",
        "ThumbMediaId": "m",
    },
    {
        "title": "t",
        "app_id": "wx1",
        "page_path": "pages/a",
        "thumb_url": "http://p.example/1",
        "thumb_media_id": "m",
    },
)
sample("CLICK", "<EventKey>BUY_1</EventKey>", {"EventKey": "BUY_1"}, {"event_key": "BUY_1"})
sample(
    "VIEW",
    "<EventKey><![CDATA[http://l.example/]]></EventKey><MenuId>423456789</MenuId>",
    {"EventKey": "http://l.example/", "MenuId": 423456789},
    {"event_key": "http://l.example/", "menu_id": "423456789"},
)
for _scan in ("scancode_push", "scancode_waitmsg"):
    sample(
        _scan,
        "<EventKey>6</EventKey><ScanCodeInfo><ScanType><![CDATA[qrcode]]></ScanType>"
        "<ScanResult><![CDATA[1]]></ScanResult></ScanCodeInfo>",
        {"EventKey": "6", "ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "1"}},
        {"event_key": "6", "scan_code_info": {"scan_type": "qrcode", "scan_result": "1"}},
    )
for _pictures in ("pic_sysphoto", "pic_photo_or_album", "pic_weixin"):
    sample(
        _pictures,
        "<EventKey>6</EventKey><SendPicsInfo><Count>1</Count><PicList><item>"
        "<PicMd5Sum><![CDATA[1b5f]]></PicMd5Sum>\n</item>\n</PicList>\n</SendPicsInfo>",
        {"EventKey": "6", "SendPicsInfo": {"Count": 1, "PicList": [{"PicMd5Sum": "1b5f"}]}},
        {"event_key": "6", "send_pics_info": {"count": 1, "pic_list": [{"pic_md5_sum": "1b5f"}]}},
    )
sample(
    "location_select",
    "<EventKey>6</EventKey><SendLocationInfo><Location_X><![CDATA[23]]></Location_X>"
    "<Location_Y><![CDATA[113.5]]></Location_Y><Scale><![CDATA[15]]></Scale>"
    "<Label><![CDATA[广州]]></Label><Poiname><![CDATA[]]></Poiname></SendLocationInfo>",
    {
        "EventKey": "6",
        "SendLocationInfo": {
            "Location_X": 23,
            "Location_Y": 113.5,
            "Scale": 15,
            "Label": "广州",
            "Poiname": "",
        },
    },
    {
        "event_key": "6",
        "send_location_info": {
            "location_x": 23.0,
            "location_y": 113.5,
            "scale": 15,
            "label": "广州",
            "poiname": "",
        },
    },
)
sample(
    "view_miniprogram",
    "<EventKey>pages/a</EventKey><MenuId>1</MenuId>",
    {"EventKey": "pages/a", "MenuId": "1"},
    {"event_key": "pages/a", "menu_id": "1"},
)
sample("subscribe", "<EventKey/>", {"EventKey": ""}, {"event_key": ""})
sample(
    "subscribe by a QR code",
    "<EventKey>qrscene_123</EventKey><Ticket>T</Ticket>",
    {"EventKey": "qrscene_123", "Ticket": "T"},
    {"event_key": "qrscene_123", "ticket": "T"},
)
sample("unsubscribe", "<EventKey></EventKey>", {"EventKey": ""}, {"event_key": ""})
sample(
    "SCAN",
    "<EventKey>123</EventKey><Ticket>T</Ticket>",
    {"EventKey": 123, "Ticket": "T"},
    {"event_key": "123", "ticket": "T"},
)
sample(
    "LOCATION",
    "<Latitude>23.137466</Latitude><Longitude>113.352425</Longitude>"
    "<Precision>119.385040</Precision>",
    {"Latitude": 23.137466, "Longitude": 113.352425, "Precision": 119.385040},
    {"latitude": 23.137466, "longitude": 113.352425, "precision": 119.38504},
)
sample(
    "TEMPLATESENDJOBFINISH",
    "<MsgID>200163836</MsgID><Status><![CDATA[failed: system failed]]></Status>",
    {"MsgID": 200163836, "Status": "failed: system failed"},
    {"msg_id": "200163836", "status": "failed: system failed"},
)
sample(
    "MASSSENDJOBFINISH",
    "<MsgID>1000001625</MsgID><Status>err(30003)</Status><TotalCount>0</TotalCount>"
    "<FilterCount>0</FilterCount><SentCount>0</SentCount><ErrorCount>0</ErrorCount>"
    "<CopyrightCheckResult><Count>2</Count><ResultList>"
    "<item><ArticleIdx>1</ArticleIdx><UserDeclareState>0</UserDeclareState>"
    "<AuditState>2</AuditState><OriginalArticleUrl>http://l.example/1</OriginalArticleUrl>"
    "<OriginalArticleType>1</OriginalArticleType><CanReprint>1</CanReprint>"
    "<NeedReplaceContent>1</NeedReplaceContent>"
    "<NeedShowReprintSource>1</NeedShowReprintSource></item></ResultList>"
    "<CheckState>2</CheckState></CopyrightCheckResult>"
    "<ArticleUrlResult><Count>0</Count><ResultList></ResultList></ArticleUrlResult>",
    {
        "MsgID": 1000001625,
        "Status": "err(30003)",
        "TotalCount": 0,
        "FilterCount": 0,
        "SentCount": 0,
        "ErrorCount": 0,
        "CopyrightCheckResult": {
            "Count": 2,
            "ResultList": [
                {
                    "ArticleIdx": 1,
                    "UserDeclareState": 0,
                    "AuditState": 2,
                    "OriginalArticleUrl": "http://l.example/1",
                    "OriginalArticleType": 1,
                    "CanReprint": 1,
                    "NeedReplaceContent": 1,
                    "NeedShowReprintSource": 1,
                }
            ],
            "CheckState": 2,
        },
        "ArticleUrlResult": {"Count": 0, "ResultList": []},
    },
    {
        "msg_id": "1000001625",
        "status": "err(30003)",
        "total_count": 0,
        "filter_count": 0,
        "sent_count": 0,
        "error_count": 0,
        "copyright_check_result": {
            "count": 2,
            "result_list": [
                {
                    "article_idx": 1,
                    "user_declare_state": 0,
                    "audit_state": 2,
                    "original_article_url": "http://l.example/1",
                    "original_article_type": 1,
                    "can_reprint": 1,
                    "need_replace_content": 1,
                    "need_show_reprint_source": 1,
                }
            ],
            "check_state": 2,
        },
        "article_url_result": {"count": 0, "result_list": []},
    },
)
sample(
    "PUBLISHJOBFINISH",
    "<PublishEventInfo><publish_id>2247503051</publish_id><publish_status>0</publish_status>"
    "<article_id><![CDATA[b5O]]></article_id><article_detail><count>1</count><item><idx>1</idx>"
    "<article_url><![CDATA[http://l.example/1]]></article_url></item></article_detail>"
    "<fail_idx>2</fail_idx><fail_idx>3</fail_idx></PublishEventInfo>",
    {
        "PublishEventInfo": {
            "publish_id": 2247503051,
            "publish_status": 0,
            "article_id": "b5O",
            "article_detail": {
                "count": 1,
                "item": {"idx": 1, "article_url": "http://l.example/1"},
            },
            "fail_idx": [2, 3],
        }
    },
    {
        "publish_event_info": {
            "publish_id": "2247503051",
            "publish_status": 0,
            "article_id": "b5O",
            "article_detail": {
                "count": 1,
                "item": [{"idx": 1, "article_url": "http://l.example/1"}],
            },
            "fail_idx": [2, 3],
        }
    },
)
sample(
    "subscribe_msg_popup_event",
    "<SubscribeMsgPopupEvent>"
    "<List><TemplateId>a</TemplateId><SubscribeStatusString>accept</SubscribeStatusString>"
    "<PopupScene>2</PopupScene></List>"
    "<List><TemplateId>b</TemplateId><SubscribeStatusString>reject</SubscribeStatusString>"
    "<PopupScene>2</PopupScene></List></SubscribeMsgPopupEvent>",
    {
        "SubscribeMsgPopupEvent": {
            "List": [
                {"TemplateId": "a", "SubscribeStatusString": "accept", "PopupScene": 2},
                {"TemplateId": "b", "SubscribeStatusString": "reject", "PopupScene": "2"},
            ]
        }
    },
    {
        "subscribe_msg_popup_event": {
            "list": [
                {"template_id": "a", "subscribe_status_string": "accept", "popup_scene": 2},
                {"template_id": "b", "subscribe_status_string": "reject", "popup_scene": 2},
            ]
        }
    },
)
sample(
    "subscribe_msg_change_event",
    "<SubscribeMsgChangeEvent><List><TemplateId>a</TemplateId>"
    "<SubscribeStatusString>reject</SubscribeStatusString></List></SubscribeMsgChangeEvent>",
    {"SubscribeMsgChangeEvent": {"List": {"TemplateId": "a", "SubscribeStatusString": "reject"}}},
    {
        "subscribe_msg_change_event": {
            "list": [{"template_id": "a", "subscribe_status_string": "reject"}]
        }
    },
)
sample(
    "subscribe_msg_sent_event",
    "<SubscribeMsgSentEvent><List><TemplateId>a</TemplateId><MsgID>1700827132819554304</MsgID>"
    "<ErrorCode>0</ErrorCode><ErrorStatus>success</ErrorStatus></List></SubscribeMsgSentEvent>",
    {
        "SubscribeMsgSentEvent": {
            "List": {
                "TemplateId": "a",
                "MsgID": 1700827132819554304,
                "ErrorCode": 0,
                "ErrorStatus": "success",
            }
        }
    },
    {
        "subscribe_msg_sent_event": {
            "list": [
                {
                    "template_id": "a",
                    "msg_id": "1700827132819554304",
                    "error_code": 0,
                    "error_status": "success",
                }
            ]
        }
    },
)
for _session in ("kf_create_session", "kf_close_session"):
    sample(
        _session,
        "<KfAccount>a@b</KfAccount>",
        {"KfAccount": "a@b"},
        {"kf_account": "a@b"},
    )
sample(
    "kf_switch_session",
    "<FromKfAccount>a@b</FromKfAccount><ToKfAccount>c@b</ToKfAccount>",
    {"FromKfAccount": "a@b", "ToKfAccount": "c@b"},
    {"from_kf_account": "a@b", "to_kf_account": "c@b"},
)
for _verified in (
    "qualification_verify_success",
    "naming_verify_success",
    "annual_renew",
    "verify_expired",
):
    sample(
        _verified,
        "<ExpiredTime>1442401156</ExpiredTime>",
        {"ExpiredTime": 1442401156},
        {"expired_time": 1442401156},
    )
for _failed in ("qualification_verify_fail", "naming_verify_fail"):
    sample(
        _failed,
        "<FailTime>1442401122</FailTime><FailReason><![CDATA[by time]]></FailReason>",
        {"FailTime": 1442401122, "FailReason": "by time"},
        {"fail_time": 1442401122, "fail_reason": "by time"},
    )
for _revoked in (
    "user_info_modified",
    "user_authorization_revoke",
    "user_authorization_cancellation",
):
    sample(
        _revoked,
        "<OpenID>o1</OpenID><AppID>wx1</AppID><RevokeInfo>301</RevokeInfo>",
        {"OpenID": "o1", "AppID": "wx1", "RevokeInfo": "301"},
        {"open_id": "o1", "app_id": "wx1", "revoke_info": "301"},
    )
for _card in (
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
):
    sample(
        _card,
        "<CardId>p1</CardId><UserCardCode>12312312</UserCardCode>",
        {"CardId": "p1", "UserCardCode": "12312312"},
        {"card_id": "p1", "user_card_code": "12312312"},
    )
sample(
    "poi_check_notify",
    "<UniqId>123adb</UniqId><PoiId>123123</PoiId><Result>fail</Result><Msg>xxxxxx</Msg>",
    {"UniqId": "123adb", "PoiId": 123123, "Result": "fail", "Msg": "xxxxxx"},
    {"uniq_id": "123adb", "poi_id": "123123", "result": "fail", "msg": "xxxxxx"},
)
sample(
    "WifiConnected",
    "<ConnectTime>0</ConnectTime><ExpireTime>0</ExpireTime><VendorId>3001224419</VendorId>"
    "<PlaceId>1</PlaceId><ShopId>2</ShopId><DeviceNo>D</DeviceNo>",
    {
        "ConnectTime": 0,
        "ExpireTime": 0,
        "VendorId": "3001224419",
        "PlaceId": 1,
        "ShopId": 2,
        "DeviceNo": "D",
    },
    {
        "connect_time": 0,
        "expire_time": 0,
        "vendor_id": "3001224419",
        "place_id": "1",
        "shop_id": "2",
        "device_no": "D",
    },
)
sample(
    "merchant_order",
    "<OrderId>o</OrderId><OrderStatus>2</OrderStatus><ProductId>p</ProductId>"
    "<SkuInfo>10001:1000012</SkuInfo>",
    {"OrderId": "o", "OrderStatus": 2, "ProductId": "p", "SkuInfo": "10001:1000012"},
    {"order_id": "o", "order_status": 2, "product_id": "p", "sku_info": "10001:1000012"},
)
sample(
    "user_enter_tempsession",
    "<SessionFrom>s</SessionFrom>",
    {"SessionFrom": "s"},
    {"session_from": "s"},
)
sample(
    "wxa_media_check",
    "<appid>wx1</appid><trace_id>t</trace_id><version>2</version>"
    "<result><suggest>risky</suggest><label>20001</label></result>",
    {
        "appid": "wx1",
        "trace_id": "t",
        "version": 2,
        "result": {"suggest": "risky", "label": 20001},
    },
    {
        "appid": "wx1",
        "trace_id": "t",
        "version": 2,
        "result": {"suggest": "risky", "label": "20001"},
    },
)
sample("debug_demo", "<debug_str>hi</debug_str>", {"debug_str": "hi"}, {"debug_str": "hi"})
sample(
    "an_event_from_the_future",
    "<Count>1</Count><SomeThing><A>1</A><B>true</B><C></C></SomeThing>",
    {"Count": 1, "SomeThing": {"A": 1, "B": True, "C": None}},
    {"count": 1, "some_thing": {"a": "1", "b": "true", "c": ""}},
)
