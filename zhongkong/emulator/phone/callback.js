// Where the account's callbacks go: the card that shows it, and the dialog that changes it.

import { accountPath, call } from "/phone/api.js";
import { openDialog } from "/phone/dialogs.js";
import { button, choice, el, field } from "/phone/dom.js";
import { readTools } from "/phone/readings.js";
import { attempt, say, state } from "/phone/state.js";
import { hint, title } from "/phone/tool_parts.js";
import { t } from "/phone/words.js";

export function callbackCard() {
  const callback = state.account.callback;
  if (!callback?.url) return [title(t("callback")), hint(t("noCallback")), el("div", { class: "chips" }, button(t("setCallback"), openCallback))];
  const passed = callback.verification?.passed;
  return [title(t("callback")), el("p", { class: "mono" }, callback.url),
    hint(`${t(`mode.${callback.mode}`)} · ${callback.format} · ${t(passed ? "verified" : "notVerified")}`),
    el("div", { class: "chips" }, button(t("edit"), openCallback), button(t("verifyAgain"), () => attempt(async () => {
      await call("POST", `${accountPath(state.account.appid)}/callback/verification`);
      await readTools();
      say(t("verified"));
    })))];
}

export function openCallback() {
  const before = state.account.callback ?? {};
  const url = el("input", { type: "url", required: true, value: before.url ?? "http://127.0.0.1:8082/callback/shop" });
  const token = el("input", { type: "text", required: true, autocomplete: "off", spellcheck: "false", pattern: "[A-Za-z0-9]{3,32}" });
  const key = el("input", { type: "text", autocomplete: "off", spellcheck: "false", maxlength: 43 });
  const verify = el("input", { type: "checkbox", checked: true });
  let mode = before.mode ?? "safe";
  let format = before.format ?? "xml";
  openDialog(t("callback"), [
    field("URL", url), field("Token", token), field("EncodingAESKey", key),
    field(t("mode"), choice(["safe", "compatible", "plaintext"].map((each) => [each, t(`mode.${each}`)]), mode, (value) => { mode = value; })),
    field(t("format"), choice([["xml", "XML"], ["json", "JSON"]], format, (value) => { format = value; })),
    el("label", { class: "check" }, verify, t("verify")),
  ], { act: async () => {
    await call("PUT", `${accountPath(state.account.appid)}/callback`, { url: url.value, token: token.value, aes_key: key.value || null, mode, format, verify: verify.checked });
    await readTools();
    say(t("callbackSaved"));
  } });
}
