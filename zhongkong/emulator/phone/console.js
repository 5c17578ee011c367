// The dialog in which a menu is edited as people do it in WeChat's web console.

import { accountPath, call } from "/phone/api.js";
import { openDialog } from "/phone/dialogs.js";
import { button, choice, el, field } from "/phone/dom.js";
import { readMenu, readTools } from "/phone/readings.js";
import { attempt, say, state } from "/phone/state.js";
import { t } from "/phone/words.js";

const TOPS = 3;
const CHILDREN = 5;
const VALUES = { text: "value", view: "url" };

export function openConsoleMenu() {
  const menu = begun();
  const box = el("div", { class: "menu-editor" });
  const show = () => box.replaceChildren(...menu.map((top, place) => topEditor(menu, top, place, show)),
    ...(menu.length < TOPS ? [button(`+ ${t("addButton")}`, () => { menu.push(fresh()); show(); }, { class: "wide" })] : []));
  show();
  openDialog(t("consoleMenu"), box, { done: t("publish"), act: async () => {
    await call("PUT", `${accountPath(state.account.appid)}/console-menu`, { button: menu.map(sent) });
    await attempt(readTools);
    await attempt(() => readMenu(false));
    say(t("published"));
  } });
}

function topEditor(menu, top, place, show) {
  const remove = button(t("remove"), () => { menu.splice(place, 1); show(); }, { class: "plain-text", disabled: menu.length === 1 });
  const children = top.children.map((child, number) => el("div", { class: "child" }, leafEditor(child, false, show),
    button(t("remove"), () => { top.children.splice(number, 1); show(); }, { class: "plain-text", disabled: top.children.length === 1 })));
  const more = top.type === "parent" && top.children.length < CHILDREN
    && button(`+ ${t("addChild")}`, () => { top.children.push(fresh()); show(); });
  return el("fieldset", {}, el("legend", {}, t("topButton", { n: place + 1 })), leafEditor(top, true, show),
    top.type === "parent" && el("div", { class: "children" }, children, more), remove);
}

function leafEditor(leaf, isTop, show) {
  const name = el("input", { type: "text", required: true, value: leaf.name, maxlength: 20, on: { input: () => { leaf.name = name.value; } } });
  const types = [["text", t("text")], ["view", t("web")], ["img", t("album")], ...(isTop ? [["parent", t("parent")]] : [])];
  const kept = types.some(([value]) => value === leaf.type) ? [] : [[leaf.type, leaf.type]];
  const type = choice([...types, ...kept], leaf.type, (value) => {
    leaf.type = value;
    if (value === "parent" && !leaf.children.length) leaf.children.push(fresh());
    show();
  });
  const value = leaf.type in VALUES && el("input", { type: "text", required: true, value: leaf.value, on: { input: (event) => { leaf.value = event.target.value; } } });
  return el("div", { class: "leaf" }, field(t("name"), name), field(t("type"), type), value && field(t(leaf.type === "view" ? "address" : "value"), value));
}

const fresh = () => ({ name: "", type: "text", value: "", children: [], rest: {} });

// The menu that there is, as far as the console could have made it.
function begun() {
  const buttons = state.consoleState?.button ?? [];
  const made = buttons.map(read);
  return made.length ? made : [{ ...fresh(), name: "营业时间", value: "9:00 - 18:00" }];
}

function read(button) {
  const { name, type, value, url, sub_button: children = [], ...rest } = button;
  if (children.length) return { ...fresh(), name, type: "parent", children: children.map(read) };
  if (type === "view") return { ...fresh(), name, type, value: url };
  if (["img", "voice", "video", "news"].includes(type)) return { ...fresh(), name, type, value: value ?? "", rest };
  if (type === "miniprogram") return { ...fresh(), name, type, rest: { ...rest, url } };
  return { ...fresh(), name, type: "text", value: value ?? button.key ?? "" };
}

function sent(leaf) {
  if (leaf.type === "parent") return { name: leaf.name, sub_button: { list: leaf.children.map(sent) } };
  if (leaf.type in VALUES) return { type: leaf.type, name: leaf.name, [VALUES[leaf.type]]: leaf.value };
  return { type: leaf.type, name: leaf.name, ...(leaf.value ? { value: leaf.value } : {}), ...leaf.rest };
}
