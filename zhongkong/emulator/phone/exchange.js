// One try in full: the request as it was meant and as it was sent, and the answer.

import { el } from "/phone/dom.js";
import { t } from "/phone/words.js";

const GOOD = new Set(["success", "empty", "reply", "encrypted_reply"]);

// `before` is the element that this one replaces: what was unfolded there stays so.
export function tryElement(exchange, before) {
  const answered = exchange.answer !== null;
  const tone = !answered ? "open" : GOOD.has(exchange.answer) ? "good" : "bad";
  const opened = new Set([...(before?.querySelectorAll("details[open]") ?? [])].map((each) => each.dataset.part));
  const part = (name, title, body) => el("details", { class: "part", "data-part": name, open: opened.has(name) }, el("summary", {}, title), body);
  return el("section", { class: `try ${tone}` },
    el("header", {},
      el("b", {}, exchange.repeat ? t("duplicate") : t("try", { n: exchange.try })),
      el("span", { class: `chip ${tone === "open" ? "" : tone}` }, exchange.answer ? t(`answer.${exchange.answer}`) : "…"),
      exchange.status !== null && el("span", { class: "chip" }, `HTTP ${exchange.status}`),
      el("span", { class: "spacer" }),
      exchange.took_s !== null && el("span", { class: "mono" }, `${(exchange.took_s * 1000).toFixed(1)} ms`)),
    exchange.problem && el("p", { class: "problem" }, exchange.problem),
    exchange.seen && el("p", { class: "seen" }, t(`seen.${exchange.seen}`)),
    part("plain", [`${t("request")} · ${t("plain")}`, size(exchange.request.message)], code(exchange.request.message)),
    part("sent", [`${t("request")} · ${t("sent")}`, signatures(exchange.request.signatures)], [
      el("pre", { class: "url" }, `POST ${exchange.request.url}\nContent-Type: ${exchange.request.content_type}`), code(exchange.request.body)]),
    ...answers(exchange, part));
}

function answers(exchange, part) {
  const response = exchange.response;
  if (!response) return exchange.answer === null ? [] : [el("p", { class: "no-answer" }, t("noAnswer"))];
  const made = [];
  if (response.message) made.push(part("opened", [`${t("response")} · ${t("opens2")}`, size(response.message)], code(response.message)));
  made.push(part("answer", [`${t("response")} · ${t("received")}`, response.signature && verdict(response.signature), size(response.body)], code(response.body)));
  return made;
}

function signatures(found) {
  const worst = ["missing", "wrong", "unreadable"].find((each) => Object.values(found).includes(each)) ?? "genuine";
  return verdict(worst);
}

function verdict(name) {
  return el("span", { class: `chip ${name === "genuine" ? "good" : "bad"}` }, t(`sign.${name}`));
}

function size(body) {
  return el("span", { class: "size" }, t("bytes", { n: body.bytes }));
}

function code(body) {
  const cut = new TextEncoder().encode(body.text).length < body.bytes;
  return [el("pre", { tabindex: 0 }, body.text ? laidOut(body.text) : t("emptyBody")), cut && el("small", {}, t("partly"))].filter(Boolean);
}

function laidOut(text) {
  if (text.startsWith("{")) {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch { /* shown as it came */ }
  }
  return text.replaceAll(/(<xml>|<\/\w+>)(?=<)/gu, "$1\n");
}
