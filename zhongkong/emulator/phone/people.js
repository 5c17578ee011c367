// Who holds the phone: choose, add, and change users, so that conditional menus are seen.

import { button, choice, el, field } from "/phone/dom.js";
import { personAvatar } from "/phone/bubbles.js";
import { openDialog } from "/phone/dialogs.js";
import { addUser, changeUser, chooseUser } from "/phone/session.js";
import { attempt, state } from "/phone/state.js";
import { t } from "/phone/words.js";

export function openPeople() {
  let close = () => {};
  const rows = el("ul", { class: "people" });
  const show = () => rows.replaceChildren(...state.users.slice(0, 200).map((user) => el("li", {},
    el("button", { type: "button", class: "person", "aria-current": user.openid === state.user?.openid ? "true" : null, on: { click: () => {
      close();
      attempt(() => chooseUser(user.openid));
    } } }, personAvatar(user), el("span", {}, el("b", {}, user.nickname || t("unnamed")), el("small", {}, facts(user)))),
    button(t("edit"), () => editUser(user, show)))));
  show();
  close = openDialog(t("people"), [rows, button(`+ ${t("newUser")}`, () => attempt(async () => {
    await addUser();
    show();
  }), { class: "wide" })]);
}

function facts(user) {
  const tags = user.tags.length ? ` · #${user.tags.join(" #")}` : "";
  return `${t(`platform.${user.phone}`)} · ${t(user.following ? "following" : "notFollowing")}${tags}`;
}

function editUser(user, changed) {
  const nickname = el("input", { type: "text", value: user.nickname, maxlength: 64 });
  const tags = el("input", { type: "text", value: user.tags.join(", "), inputmode: "numeric", placeholder: "2, 5" });
  const language = el("input", { type: "text", value: user.language, maxlength: 16 });
  let phone = user.phone;
  const phones = ["ios", "android", "other"].map((each) => [each, t(`platform.${each}`)]);
  openDialog(user.nickname || user.openid, [
    el("p", { class: "mono" }, user.openid),
    field(t("nickname"), nickname),
    field(t("tags"), tags),
    field(t("platform"), choice(phones, phone, (value) => { phone = value; })),
    field(t("userLanguage"), language),
  ], { act: async () => {
    const numbers = tags.value.split(/[,，\s]+/u).filter(Boolean).map(Number);
    await changeUser(user.openid, { nickname: nickname.value, tags: numbers, phone, language: language.value });
    changed();
  } });
}
