"""Files that live three days, and pictures inside articles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast
from urllib.parse import quote

from zhongkong.emulator.account import AccountKind
from zhongkong.emulator.contents import FileAnswer
from zhongkong.emulator.endpoint import ANY_KIND, Answer, Endpoint, Visit
from zhongkong.emulator.media import LIMITS, SUFFIXES, TEMPORARY_LIFE_S, MediaItem, MediaKind
from zhongkong.emulator.refusal import Payload, Refusal
from zhongkong.emulator.wire import Manner

if TYPE_CHECKING:
    from zhongkong.emulator.multipart import Part

UPLOAD_AT_MOST: Final = 100 * 1024 * 1024
AS_TEXT: Final = Manner(plain_text=True)
VIDEO_PATH: Final = "/mmbiz/video"
NO_MINI_PROGRAM: Final = ANY_KIND - {AccountKind.MINI_PROGRAM}
_FILE_KINDS: Final = frozenset({"image", "voice", "video", "thumb"})


def upload(visit: Visit) -> Payload:
    kind = kind_wanted(visit)
    part, suffix = sent_file(visit, kind, too_large=45001)
    media_id = visit.platform.chance.text(64)
    account, now = visit.recognised(), visit.now
    item = item_of(part, suffix, kind, media_id, now, expires_at=now + TEMPORARY_LIFE_S)
    account.media.add(item)
    visit.carried_out("media_uploaded", media_id)
    name = "thumb_media_id" if kind == "thumb" else "media_id"
    return {"type": kind, name: media_id, "created_at": int(now)}


def get(visit: Visit) -> Answer:
    media_id = visit.request.query.get("media_id", "")
    if not media_id:
        raise Refusal(41006)
    item = visit.recognised().media.temporary(media_id, visit.now)
    if item is None:
        raise Refusal(40007)
    if item.kind == "video" and visit.platform.parameters.video_as_link:
        return {"video_url": video_link(visit, item)}
    return file_of(item)


def upload_image(visit: Visit) -> Payload:
    """Pictures for articles: kept by nobody, they only get an address."""
    _, suffix = sent_file(visit, "uploadimg", too_large=40009)
    url = image_link(visit, suffix)
    visit.carried_out("image_uploaded", url)
    return {"url": url}


def video(visit: Visit) -> Answer:
    """Behind the link of a video; the address is the right."""
    account = visit.platform.accounts.get(visit.request.query.get("appid", ""))
    media_id = visit.request.query.get("media_id", "")
    item = None if account is None else account.media.sendable(media_id, visit.now)
    if item is None or item.kind != "video":
        raise Refusal(40007)
    return file_of(item)


def kind_wanted(visit: Visit) -> MediaKind:
    kind = visit.request.query.get("type") or _field(visit, "type")
    if kind not in _FILE_KINDS:
        raise Refusal(40004)
    return cast("MediaKind", kind)


def sent_file(visit: Visit, kind: str, *, too_large: int) -> tuple[Part, str]:
    """The file in `media` and its suffix. Raises Refusal: 41005, 44001, 40005, `too_large`."""
    part = next(
        (
            each
            for each in visit.request.parts()
            if each.name == "media" and each.filename is not None
        ),
        None,
    )
    if part is None:
        raise Refusal(41005)
    if not part.content.size:
        raise Refusal(44001)
    known = SUFFIXES[kind]
    _, dot, suffix = (part.filename or "").rpartition(".")
    suffix = suffix.lower() if dot else next(iter(known))
    if suffix not in known:
        raise Refusal(40005)
    limits = {**LIMITS, **visit.platform.parameters.media_limits}
    if part.content.size > limits[kind]:
        raise Refusal(too_large)
    return part, suffix


def item_of(
    part: Part, suffix: str, kind: MediaKind, media_id: str, now: float, *, expires_at: float | None
) -> MediaItem:
    return MediaItem(
        media_id=media_id,
        kind=kind,
        filename=f"{media_id}.{suffix}",
        created_at=now,
        content=part.content,
        content_type=SUFFIXES[kind][suffix],
        expires_at=expires_at,
    )


def file_of(item: MediaItem) -> FileAnswer:
    return FileAnswer(content=item.content, content_type=item.content_type, filename=item.filename)


def image_link(visit: Visit, suffix: str) -> str:
    return f"http://mmbiz.qpic.cn/mmbiz_{suffix}/{visit.platform.chance.text(60)}/0"


def video_link(visit: Visit, item: MediaItem) -> str:
    """On the host that was asked, since there is no other."""
    host = visit.request.header("host") or "localhost"
    query = f"appid={quote(visit.recognised().appid, safe='')}&media_id={item.media_id}"
    return f"http://{host}{VIDEO_PATH}?{query}"


def _field(visit: Visit, name: str) -> str:
    parts = visit.request.parts()
    return next((each.text() for each in parts if each.name == name and each.filename is None), "")


ENDPOINTS: Final = (
    Endpoint(
        path="/cgi-bin/media/upload",
        method="POST",
        credential="token",
        answer=upload,
        manner=AS_TEXT,
        body_at_most=UPLOAD_AT_MOST,
    ),
    Endpoint(
        path="/cgi-bin/media/get", method="GET", credential="token", answer=get, manner=AS_TEXT
    ),
    Endpoint(
        path="/cgi-bin/media/uploadimg",
        method="POST",
        credential="token",
        answer=upload_image,
        kinds=NO_MINI_PROGRAM,
        manner=AS_TEXT,
        body_at_most=UPLOAD_AT_MOST,
    ),
    Endpoint(path=VIDEO_PATH, method="GET", credential="none", answer=video, manner=AS_TEXT),
)
