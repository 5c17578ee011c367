// The upper edge of the page: account, user, language, and on small screens the three views.

import { button, choice, el } from "/phone/dom.js";
import { personAvatar } from "/phone/bubbles.js";
import { openPeople } from "/phone/people.js";
import { chooseAccount } from "/phone/session.js";
import { attempt, on, state, tell } from "/phone/state.js";
import { locale, switchLanguage, t } from "/phone/words.js";

export function mountBar(bar, showView) {
  function show() {
    document.documentElement.lang = locale();
    document.title = t("brand");
    const views = ["phone", "wire", "tools"].map((name) => button(t(name), () => showView(name), {
      class: `view-${name}`, "aria-pressed": String(document.body.dataset.view === name),
    }));
    const accounts = state.accounts.map((each) => [each.appid, `${t(`kind.${each.kind}`)} · ${each.appid}`]);
    bar.replaceChildren(...[
      el("div", { class: "brand" }, el("img", { src: "/phone/icon.svg", alt: "", width: 28, height: 28 }), el("strong", {}, t("brand"))),
      el("nav", { class: "views" }, views),
      el("span", { class: "spacer" }),
      !state.online && el("span", { class: "offline", role: "alert" }, t("offline")),
      el("label", { class: "account-choice" }, el("span", { class: "unseen" }, t("account")),
        choice(accounts, state.account?.appid, (appid) => attempt(() => chooseAccount(appid)))),
      state.user && el("button", { type: "button", class: "who", title: t("people"), "aria-label": `${t("user")}: ${state.user.nickname}`, on: { click: openPeople } },
        personAvatar(state.user), el("span", {}, state.user.nickname || t("unnamed"))),
      button(locale() === "zh-CN" ? "EN" : "中文", () => { switchLanguage(); tell("language"); bar.querySelector(".language").focus(); },
        { class: "language", title: t("language"), "aria-label": t("language") }),
    ].filter(Boolean));
  }
  on("account user language online view", show);
  show();
}
