// What a tap on a menu button does: what WeChat opens, and what it tells the account (4.8).

import { accountPath, call, mediaAddress } from "/phone/api.js";
import { showHere } from "/phone/chat.js";
import { webAddress } from "/phone/dom.js";
import { asPhoto } from "/phone/pictures.js";
import { push, sendPicture } from "/phone/pushes.js";
import { openAlbum, openChoices, openMiniProgram, openNote, openPage, openPlaces, openScanner } from "/phone/sheets.js";
import { attempt, say, state } from "/phone/state.js";
import { t } from "/phone/words.js";

export function tap(screen, leaf) {
  const act = ACTS[leaf.type];
  if (act) act(screen, leaf);
  else openNote(screen, leaf.name, leaf.type ?? "?");
}

const ACTS = {
  click: (_, leaf) => push({ click: leaf.key }),
  view: (screen, leaf) => {
    push({ view: leaf.url, fields: menuId() });
    openPage(screen, leaf.url);
  },
  miniprogram: (screen, leaf) => {
    push({ event: "view_miniprogram", key: leaf.pagepath, fields: menuId() });
    openMiniProgram(screen, leaf);
  },
  scancode_push: (screen, leaf) => openScanner(screen, (scanned) => {
    push({ event: leaf.type, key: leaf.key, fields: { ScanCodeInfo: scanned } });
    if (webAddress(scanned.ScanResult)) openPage(screen, scanned.ScanResult);
    else openNote(screen, t("scanner"), scanned.ScanResult);
  }),
  scancode_waitmsg: (screen, leaf) => openScanner(screen, (scanned) => {
    push({ event: leaf.type, key: leaf.key, fields: { ScanCodeInfo: scanned } });
    say(t("waiting"));
  }),
  pic_sysphoto: (screen, leaf) => openAlbum(screen, { camera: true, several: false }, picturesFor(leaf)),
  pic_photo_or_album: (screen, leaf) => openChoices(screen, leaf.name, [
    [t("takePhoto"), () => openAlbum(screen, { camera: true, several: false }, picturesFor(leaf))],
    [t("album"), () => openAlbum(screen, {}, picturesFor(leaf))],
  ]),
  pic_weixin: (screen, leaf) => openAlbum(screen, {}, picturesFor(leaf)),
  location_select: (screen, leaf) => openPlaces(screen, (place) => push(
    { event: leaf.type, key: leaf.key, fields: { SendLocationInfo: {
      Location_X: place.x, Location_Y: place.y, Scale: 15, Label: place.label, Poiname: place.name } } },
    locationMessage(place),
  )),
  media_id: (_, leaf) => attempt(async () => showHere(...asMessage(await material(leaf), leaf.media_id))),
  view_limited: (screen, leaf) => attempt(async () => {
    const [first] = (await material(leaf)).articles;
    openNote(screen, t("article"), first?.title ?? leaf.name, leaf.media_id);
  }),
  article_id: (_, leaf) => showHere("mpnewsarticle", { article_id: leaf.article_id }),
  article_view_limited: (screen, leaf) => openNote(screen, t("article"), leaf.article_id),
  // Made in the web console: WeChat answers these by itself.
  text: (_, leaf) => showHere("text", { content: leaf.value ?? "" }),
  img: (_, leaf) => showHere("image", { media_id: leaf.value ?? "" }),
  voice: (_, leaf) => showHere("voice", { media_id: leaf.value ?? "" }),
  video: (_, leaf) => showHere("video", { media_id: leaf.value ?? "", title: leaf.name }),
  news: (_, leaf) => showHere("news", { articles: (leaf.news_info?.list ?? []).map((each) => ({
    title: each.title, description: each.digest, url: each.content_url, picurl: each.cover_url })) }),
};

function material(leaf) {
  return call("GET", `${accountPath(state.account.appid)}/material/${encodeURIComponent(leaf.media_id)}`);
}

// Material as the message in which WeChat sends it: type and content.
function asMessage({ kind, title, description, articles }, mediaId) {
  if (kind === "news") return ["news", { articles: articles.map((each) => ({ ...each, description: each.digest })) }];
  if (kind === "video") return ["video", { media_id: mediaId, title, description }];
  return [kind === "voice" ? "voice" : "image", { media_id: mediaId }];
}

function menuId() {
  return state.menu.menuid ? { MenuId: state.menu.menuid } : {};
}

function picturesFor(leaf) {
  return (addresses) => attempt(async () => {
    const taken = await uploaded(addresses);
    const list = taken.map((each) => ({ PicMd5Sum: each.md5 }));
    await push(
      { event: leaf.type, key: leaf.key, fields: { SendPicsInfo: { Count: taken.length, PicList: list } } },
      ...taken.map(pictureMessage),
    );
  });
}

export function sendPictures(addresses) {
  return attempt(async () => {
    const taken = await uploaded(addresses);
    await push(...taken.map(pictureMessage));
  });
}

async function uploaded(addresses) {
  const taken = [];
  for (const address of addresses) taken.push(await sendPicture(await asPhoto(address)));
  for (const address of addresses) if (address.startsWith("blob:")) URL.revokeObjectURL(address);
  return taken;
}

function pictureMessage(taken) {
  return { type: "image", fields: { PicUrl: taken.pic_url, MediaId: taken.media_id } };
}

export function locationMessage(place) {
  return { type: "location", fields: { Location_X: place.x, Location_Y: place.y, Scale: 15, Label: place.label } };
}

export function pictureOf(mediaId) {
  return mediaAddress(state.account.appid, mediaId);
}
