// What a tap may open inside the phone: scanner, album, places, a page, an extra message.

import { button, choice, el, field, iconButton, webAddress } from "/phone/dom.js";
import { openSheet } from "/phone/dialogs.js";
import { icon } from "/phone/icons.js";
import { AT_MOST, BUNDLED } from "/phone/pictures.js";
import { say } from "/phone/state.js";
import { t } from "/phone/words.js";

const PLACES = [
  { label: "广州市海珠区新港中路397号", name: "T.I.T 创意园", x: 23.0998, y: 113.3249 },
  { label: "深圳市南山区深南大道10000号", name: "滨海大厦", x: 22.5225, y: 113.9354 },
  { label: "北京市东城区东长安街", name: "天安门广场", x: 39.9055, y: 116.3976 },
  { label: "上海市黄浦区中山东一路", name: "外滩", x: 31.2400, y: 121.4900 },
];

export function openScanner(screen, done) {
  openSheet(screen, t("scanner"), (close) => {
    let type = "qrcode";
    const result = el("input", { type: "text", value: "https://shop.example/table/7", "data-first": true, maxlength: 1024 });
    const finish = () => {
      close();
      done({ ScanType: type, ScanResult: type === "barcode" ? `EAN_13,${result.value}` : result.value });
    };
    result.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) finish(); });
    return [
      el("div", { class: "viewfinder", "aria-hidden": "true" }, icon("scan", 120), el("i", { class: "beam" })),
      field(t("scanHint"), result),
      field(t("scanType"), choice([["qrcode", t("qrcode")], ["barcode", t("barcode")]], type, (value) => { type = value; })),
      button(t("scanDone"), finish, { class: "primary wide" }),
    ];
  }, { tall: true });
}

// `done` gets addresses that this page may load.
export function openAlbum(screen, { camera = false, several = true }, done) {
  openSheet(screen, camera ? t("takePhoto") : t("pick"), (close) => {
    const chosen = new Set();
    const grid = el("div", { class: "album" });
    const send = button("", () => { close(); done([...chosen]); }, { class: "primary wide" });
    const show = () => {
      send.textContent = t("sendCount", { n: chosen.size });
      send.disabled = chosen.size === 0;
    };
    const add = (address) => {
      const tile = el("button", { type: "button", class: "tile", "aria-pressed": "false", "aria-label": address.split("/").pop(), on: { click: () => {
        if (!several) { close(); done([address]); return; }
        if (chosen.has(address)) chosen.delete(address);
        else if (chosen.size < AT_MOST) chosen.add(address);
        else say(t("picturesToo"));
        tile.setAttribute("aria-pressed", String(chosen.has(address)));
        show();
      } } }, el("img", { src: address, alt: "" }));
      grid.append(tile);
      return tile;
    };
    BUNDLED.forEach(add);
    const file = el("input", { type: "file", accept: "image/png,image/jpeg,image/gif,image/webp", class: "unseen", tabindex: -1, on: { change: () => {
      for (const each of file.files) add(URL.createObjectURL(each)).click();
    } } });
    show();
    return [grid, file, el("div", { class: "row" }, button(t("ownFile"), () => file.click()), several && send)];
  }, { tall: true });
}

export function openPlaces(screen, done) {
  openSheet(screen, t("places"), (close) => PLACES.map((place) => el("button", { type: "button", class: "place", on: { click: () => {
    close();
    done(place);
  } } }, icon("pin"), el("span", {}, el("b", {}, place.name), el("small", {}, place.label)))), { tall: true });
}

export function openPage(screen, address) {
  const safe = webAddress(address);
  openSheet(screen, t("web"), () => [
    el("div", { class: "webpage" }, icon("globe", 56), el("p", {}, t("opens")), el("code", { class: "address" }, address)),
    safe
      ? el("a", { class: "as-button wide", href: safe, target: "_blank", rel: "noopener noreferrer" }, t("openOutside"))
      : el("p", { class: "note" }, t("noAddress")),
  ], { tall: true });
}

export function openMiniProgram(screen, leaf) {
  openSheet(screen, t("miniProgram"), () => [
    el("div", { class: "webpage" }, icon("program", 56), el("p", {}, t("opens")),
      el("code", { class: "address" }, leaf.appid), el("code", { class: "address" }, leaf.pagepath)),
  ], { tall: true });
}

export function openNote(screen, title, ...lines) {
  openSheet(screen, title, () => [
    el("div", { class: "webpage" }, icon("file", 56), lines.map((each) => el("code", { class: "address" }, each))),
  ], { tall: true });
}

export function openChoices(screen, title, choices) {
  openSheet(screen, title, (close) => el("div", { class: "choices" }, choices.map(([label, act]) => button(label, () => { close(); act(); }))));
}

export function extra(name, label, act) {
  const made = iconButton(icon(name, 28), label, act, { class: "extra" });
  return el("div", { class: "extra-cell" }, made, el("span", { "aria-hidden": "true" }, label));
}
