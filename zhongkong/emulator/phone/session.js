// Whose phone it is: the account and the user that were chosen, and the page's beginning with them.

import { Refused, accountPath, call, pause, userPath } from "/phone/api.js";
import { enterChat } from "/phone/chat.js";
import { readClock, readMenu, readTools, readUsers } from "/phone/readings.js";
import { online, state, tell } from "/phone/state.js";
import { watchTraffic } from "/phone/traffic.js";
import { remember, remembered } from "/phone/words.js";

const NICKNAMES = ["小明", "小红", "老王", "阿杰", "小雨", "李雷", "韩梅梅"];
const FIRST_OPENID = "oEmulatedUser000000000000001";
const LOOK_AGAIN_MS = 3000;
const TRY_AGAIN_MS = 2000;

export async function begin() {
  await load();
  watchTraffic(load);
  for (;;) {
    await pause(LOOK_AGAIN_MS);
    if (!document.hidden) await lookAgain().catch(() => {});
  }
}

async function load() {
  for (;;) {
    try {
      state.accounts = (await call("GET", "/accounts")).accounts;
      break;
    } catch (error) {
      state.trouble = error instanceof Refused ? error.message : null;
      online(false);
      tell("trouble");
      await pause(TRY_AGAIN_MS);
    }
  }
  state.trouble = null;
  online(true);
  const kept = remembered("zhongkong.phone.account");
  await readClock();
  await chooseAccount(state.accounts.some((each) => each.appid === kept) ? kept : state.accounts[0]?.appid);
}

async function lookAgain() {
  if (!state.user) return;
  await readMenu(false);
  await readClock();
  await readTools();
}

export async function chooseAccount(appid) {
  state.account = state.accounts.find((each) => each.appid === appid) ?? null;
  if (!state.account) return tell("account", "user", "feed", "menu");
  remember("zhongkong.phone.account", appid);
  await readUsers();
  if (!state.users.length) await addUser({ nickname: NICKNAMES[0], openid: FIRST_OPENID });
  const kept = remembered(`zhongkong.phone.user.${appid}`);
  const known = state.users.some((each) => each.openid === kept);
  tell("account");
  await chooseUser(known ? kept : state.users[0].openid);
  await readTools();
}

export async function chooseUser(openid) {
  state.user = state.users.find((each) => each.openid === openid) ?? state.users[0];
  remember(`zhongkong.phone.user.${state.account.appid}`, state.user.openid);
  state.entries = [];
  tell("user", "feed", "wire");
  await enterChat();
}

export async function addUser(facts = {}) {
  const made = { nickname: NICKNAMES[state.users.length % NICKNAMES.length], openid: newOpenid(), ...facts };
  await call("POST", `${accountPath(state.account.appid)}/users`, made);
  await readUsers();
  tell("user");
  return made.openid;
}

export async function changeUser(openid, facts) {
  await call("PATCH", userPath(state.account.appid, openid), facts);
  await readUsers();
  tell("user");
  await readMenu(false);
}

function newOpenid() {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const drawn = crypto.getRandomValues(new Uint8Array(27));
  return "o" + [...drawn].map((each) => letters[each % letters.length]).join("");
}
