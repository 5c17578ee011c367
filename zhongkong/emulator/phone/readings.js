// What the emulator is asked for, again and again: users, the menu on the phone, the clock, the tools' state.

import { accountPath, call, userPath } from "/phone/api.js";
import { attempt, state, tell } from "/phone/state.js";

export async function readUsers() {
  state.users = (await call("GET", `${accountPath(state.account.appid)}/users`)).users;
  state.user = state.users.find((each) => each.openid === state.user?.openid) ?? null;
}

// With `enters` the user comes into the chat, which is when a phone fetches the menu; `later` says that
// it counts as more than 5 minutes after the last time.
export async function readMenu(enters, later = false) {
  if (!state.user) return;
  const { appid } = state.account;
  const { openid } = state.user;
  const menu = await call("GET", `${userPath(appid, openid)}/menu?enter=${enters}&later=${later}`);
  if (state.user?.openid !== openid || state.account.appid !== appid) return;
  const changed = JSON.stringify(menu) !== JSON.stringify(state.menu);
  state.menu = menu;
  if (changed) tell("menu");
}

export async function readTools() {
  const path = accountPath(state.account.appid);
  const [account, history, faults] = await Promise.all([
    call("GET", path), call("GET", `${path}/menu-history?count=1`), call("GET", "/faults"),
  ]);
  const place = state.accounts.findIndex((each) => each.appid === account.appid);
  const before = shownByTools();
  state.accounts[place] = account;
  if (state.account.appid === account.appid) state.account = account;
  state.consoleState = history.now;
  state.faults = faults.faults;
  if (before !== shownByTools()) tell("tools");
}

function shownByTools() {
  const { callback, slow_handler: handler } = state.account;
  return JSON.stringify([callback, handler, state.consoleState, state.faults]);
}

export async function readClock() {
  keepClock(await call("GET", "/clock"));
}

export async function moveClock(change) {
  await attempt(async () => keepClock(await call("POST", "/clock", change)));
  await attempt(() => readMenu(false));
}

export function emulatedNow() {
  const { now, frozen, seenAt } = state.clock;
  return frozen ? now : now + (performance.now() - seenAt) / 1000;
}

function keepClock(clock) {
  state.clock = { ...clock, seenAt: performance.now() };
  tell("clock");
}
