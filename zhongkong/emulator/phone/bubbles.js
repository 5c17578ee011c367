// One entry of the chat as an element. Whatever users and accounts wrote stays text.

import { button, el, webAddress } from "/phone/dom.js";
import { icon } from "/phone/icons.js";
import { push } from "/phone/pushes.js";
import { openPage } from "/phone/sheets.js";
import { state } from "/phone/state.js";
import { pictureOf } from "/phone/taps.js";
import { t } from "/phone/words.js";

const ADDRESS = /https?:\/\/[^\s<>"'，。；！？（）]+/gu;

// `screen` is where pages open. Null: nothing is shown.
export function entryElement(screen, entry) {
  if (entry.kind === "banner") return el("p", { class: "notice banner" }, icon("flag", 16), entry.content.text);
  if (entry.kind === "template") return template(screen, entry.content);
  if (entry.kind === "sent" && entry.content.Event) return el("p", { class: "notice event" }, eventText(entry.content));
  if (entry.type === "transfer_customer_service") return el("p", { class: "notice" }, t("transferred"));
  const mine = entry.kind === "sent";
  const content = mine ? sentParts(screen, entry.type, entry.content) : receivedParts(screen, entry.type, entry.content);
  return el("div", { class: `line ${mine ? "mine" : "theirs"} of-${entry.type}` }, avatar(mine), content);
}

function avatar(mine) {
  const made = mine ? personAvatar(state.user) : accountAvatar(state.account);
  made.setAttribute("aria-hidden", "true");
  return made;
}

export function personAvatar(user) {
  const made = el("span", { class: "avatar" }, [...(user.nickname || user.openid.slice(1))][0] ?? "?");
  made.style.backgroundColor = `hsl(${hue(user.openid)} 45% 52%)`;
  return made;
}

export function accountAvatar(account) {
  const made = el("span", { class: "avatar account" }, icon("chat", 24));
  made.style.backgroundColor = `hsl(${hue(account.appid)} 50% 42%)`;
  return made;
}

function hue(text) {
  return ([...text].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 9973, 7) * 137) % 360;
}

function eventText(content) {
  const key = content.EventKey ?? "";
  if (content.Event === "subscribe") return t("followed");
  if (content.Event === "unsubscribe") return t("unfollowed");
  if (content.Event === "CLICK") return t("tapped", { what: key });
  if (content.Event === "VIEW" || content.Event === "view_miniprogram") return t("opened", { what: key });
  return t("happened", { what: `${content.Event} ${key}`.trim() });
}

function sentParts(screen, type, content) {
  const make = {
    text: () => textBubble(screen, content.Content ?? ""),
    image: () => picture(screen, content.MediaId, content.PicUrl),
    location: () => place(content),
    voice: () => voice(),
    video: () => video({}),
    shortvideo: () => video({}),
    link: () => linkCard(screen, { title: content.Title, description: content.Description, url: content.Url }),
  }[type];
  return make ? make() : textBubble(screen, `[${type}]`);
}

function receivedParts(screen, type, content) {
  const make = {
    text: () => textBubble(screen, content.content ?? ""),
    image: () => picture(screen, content.media_id),
    voice: () => voice(),
    video: () => video(content),
    music: () => music(content),
    news: () => news(screen, content.articles ?? []),
    link: () => linkCard(screen, content),
    msgmenu: () => messageMenu(content),
    miniprogrampage: () => cardOf("program", t("miniProgram"), content.title, content.pagepath),
    mpnews: () => cardOf("file", t("article"), content.media_id),
    mpnewsarticle: () => cardOf("file", t("article"), content.article_id),
    wxcard: () => cardOf("file", t("card"), content.card_id),
  }[type];
  return make ? make() : textBubble(screen, `[${type}]`);
}

function textBubble(screen, text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(ADDRESS)) {
    parts.push(text.slice(from, found.index), button(found[0], () => openPage(screen, found[0]), { class: "inline-link" }));
    from = found.index + found[0].length;
  }
  return el("div", { class: "bubble" }, parts, text.slice(from));
}

function picture(screen, mediaId, address = null) {
  const frame = el("div", { class: "picture" });
  const missing = () => {
    const host = webAddress(address ?? "") ? new URL(address).host : "";
    frame.replaceChildren(el("div", { class: "no-picture" }, icon("image", 32),
      el("small", {}, host && host !== location.host ? t("elsewhere", { host }) : t("noPicture")),
      el("code", {}, mediaId ?? "")));
  };
  if (!mediaId) missing();
  else frame.append(el("img", { src: pictureOf(mediaId), alt: t("album"), on: { error: missing } }));
  return frame;
}

function voice() {
  return el("div", { class: "bubble voice" }, icon("voice", 20), el("span", {}, "3″"));
}

function video(content) {
  return el("div", { class: "picture" }, el("div", { class: "film" }, icon("play", 44)),
    content.title && el("b", { class: "caption" }, content.title), content.description && el("small", { class: "caption" }, content.description));
}

function music(content) {
  return el("div", { class: "card music" }, el("div", {}, el("b", {}, content.title || content.music_url || content.musicurl || "♪"),
    el("small", {}, content.description ?? "")), el("span", { class: "disc" }, icon("music", 26)));
}

function place(content) {
  return el("div", { class: "card place-card" }, el("b", {}, content.Label || "?"),
    el("small", {}, `${content.Location_X}, ${content.Location_Y}`), el("div", { class: "map", "aria-hidden": "true" }, icon("pin", 34)));
}

function linkCard(screen, content) {
  return el("button", { type: "button", class: "card link-card", on: { click: () => openPage(screen, content.url ?? "") } },
    el("b", {}, content.title ?? ""), el("small", {}, content.description ?? ""), el("span", { class: "thumb" }, icon("link", 22)));
}

function cardOf(sign, kind, title, below = "") {
  return el("div", { class: "card" }, el("b", {}, title ?? ""), el("small", {}, below), el("footer", {}, icon(sign, 14), kind));
}

function news(screen, articles) {
  return el("div", { class: articles.length > 1 ? "news several" : "news" }, articles.map((each, place) => el("button",
    { type: "button", class: place === 0 ? "article first" : "article", on: { click: () => openPage(screen, each.url ?? "") } },
    cover(each, place), el("span", { class: "title" }, each.title ?? ""),
    articles.length === 1 && each.description && el("small", {}, each.description))));
}

// Pictures elsewhere on the web are not fetched: this page loads from the emulator alone.
function cover(article, place) {
  const drawn = icon("image", place === 0 ? 36 : 20);
  const made = el("span", { class: "cover" }, drawn);
  made.style.backgroundColor = `hsl(${hue(article.title ?? "")} 35% 72%)`;
  if (article.thumb_media_id) {
    const shown = el("img", { src: pictureOf(article.thumb_media_id), alt: "", on: { error: () => shown.replaceWith(drawn) } });
    made.replaceChildren(shown);
  }
  return made;
}

function messageMenu(content) {
  const choices = Array.isArray(content.list) ? content.list : [];
  return el("div", { class: "bubble" }, content.head_content ?? "",
    choices.map((each) => button(String(each.content), () => push({ text: String(each.content), fields: { bizmsgmenuid: String(each.id) } }),
      { class: "inline-link block" })), content.tail_content ?? "");
}

function template(screen, content) {
  const rows = Object.entries(content.data ?? {}).map(([name, each]) => el("div", { class: "row" },
    el("dt", {}, name.replace(/\.DATA$/, "")), el("dd", {}, String(each?.value ?? ""))));
  const address = content.url || content.miniprogram?.pagepath;
  return el("div", { class: "template" }, el("header", {}, accountAvatar(state.account), t("serviceNotice")),
    el("dl", {}, rows), el("small", {}, content.template_id ?? ""),
    address && button(t("details"), () => openPage(screen, address), { class: "details" }));
}
