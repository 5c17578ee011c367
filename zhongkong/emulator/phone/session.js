// What the page knows, and how it learns it. Views listen to topics; only this module asks and pushes.

import { Refused, accountPath, call, follow, pause, userPath } from "/phone/api.js";
import { remember, remembered, t } from "/phone/words.js";

const NICKNAMES = ["小明", "小红", "老王", "阿杰", "小雨", "李雷", "韩梅梅"];
const HELD = 300;
const LOOK_AGAIN_MS = 3000;

export const state = {
  accounts: [],
  account: null,
  users: [],
  user: null,
  entries: [],
  menu: { button: [], origin: "none", outdated: false },
  inChat: true,
  exchanges: new Map(),
  course: {},
  courseOnce: false,
  clock: { now: 0, offset_s: 0, frozen: false, seenAt: 0 },
  consoleState: null,
  faults: [],
  online: true,
  trouble: null,
};

const listeners = new Map();
let life = null;
let revision = 0;
let local = 0;
let chatWatch = new AbortController();
let wireWatch = new AbortController();

export function on(topics, act) {
  for (const topic of topics.split(" ")) {
    if (!listeners.has(topic)) listeners.set(topic, new Set());
    listeners.get(topic).add(act);
  }
}

export function tell(...topics) {
  const acts = new Set(topics.flatMap((topic) => [...(listeners.get(topic) ?? [])]));
  for (const act of acts) act();
}

export function say(text, isBad = false) {
  for (const act of listeners.get("say") ?? []) act(text, isBad);
}

// Carries out what a person asked for; a refusal is said, not thrown.
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    say(error.message, true);
    return undefined;
  }
}

// ---------------------------------------------------------------------------- who and where

export async function begin() {
  await load();
  watchWire();
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
      await pause(2000);
    }
  }
  state.trouble = null;
  online(true);
  const kept = remembered("zhongkong.phone.account");
  await readClock();
  await chooseAccount(state.accounts.some((each) => each.appid === kept) ? kept : state.accounts[0]?.appid);
}

export async function chooseAccount(appid) {
  state.account = state.accounts.find((each) => each.appid === appid) ?? null;
  if (!state.account) return tell("account", "user", "feed", "menu");
  remember("zhongkong.phone.account", appid);
  await readUsers();
  if (!state.users.length) await addUser({ nickname: NICKNAMES[0], openid: "oEmulatedUser000000000000001" });
  const kept = remembered(`zhongkong.phone.user.${appid}`);
  const known = state.users.some((each) => each.openid === kept);
  tell("account");
  await chooseUser(known ? kept : state.users[0].openid);
  await readTools();
}

export async function readUsers() {
  state.users = (await call("GET", `${accountPath(state.account.appid)}/users`)).users;
  state.user = state.users.find((each) => each.openid === state.user?.openid) ?? null;
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

// ---------------------------------------------------------------------------- the chat

export async function enterChat() {
  state.inChat = true;
  tell("place");
  chatWatch.abort();
  chatWatch = new AbortController();
  const { signal } = chatWatch;
  await attempt(() => readMenu(true));
  let after = 0;
  const path = `${userPath(state.account.appid, state.user.openid)}/feed`;
  const mine = [];
  state.entries = mine;
  tell("feed");
  follow(signal, async () => {
    const answer = await call("GET", `${path}?after=${after}&wait_s=${after ? 25 : 0}`, undefined, signal);
    if (signal.aborted) return;
    const first = after === 0;
    after = Math.max(after, answer.next);
    mine.push(...answer.entries);
    if (mine.length > HELD) mine.splice(0, mine.length - HELD);
    if (answer.entries.length) tell("feed");
    if (answer.entries.some(changesFollowing)) await rereadUser();
    if (first && !answer.entries.length) await call("GET", `${path}?after=0&wait_s=25`, undefined, signal);
  }, online);
}

export function leaveChat() {
  state.inChat = false;
  tell("place");
}

const changesFollowing = (entry) => entry.kind === "sent" && ["subscribe", "unsubscribe"].includes(entry.content.Event);

async function rereadUser() {
  await readUsers();
  tell("user");
  await readMenu(true);
}

// Something that WeChat shows without telling the account: it stands in this window only.
export function showHere(type, content) {
  local += 1;
  state.entries.push({ seq: `here${local}`, at: emulatedNow(), kind: "custom", type, content, push: null });
  tell("feed");
}

export async function readMenu(enters) {
  if (!state.user) return;
  const { appid } = state.account;
  const { openid } = state.user;
  const menu = await call("GET", `${userPath(appid, openid)}/menu?enter=${enters}`);
  if (state.user?.openid !== openid || state.account.appid !== appid) return;
  const changed = JSON.stringify(menu) !== JSON.stringify(state.menu);
  state.menu = menu;
  if (changed) tell("menu");
}

// ---------------------------------------------------------------------------- pushes

export async function push(...wishes) {
  const made = wishes.map((wish) => ({ user: state.user.openid, ...wish, course: courseNow() }));
  const body = made.length === 1 ? made[0] : { pushes: made };
  const done = await attempt(() => call("POST", `${accountPath(state.account.appid)}/pushes`, body));
  if (done === undefined) return false;
  if (made.some((wish) => wish.course.attack)) say(t("attackSent"));
  if (state.courseOnce) setCourse({}, false);
  return true;
}

function courseNow() {
  const course = { ...state.course };
  if (course.attack === "altered_replay") course.replay_of = newestExchange()?.push ?? "p0";
  return course;
}

export function setCourse(course, once) {
  state.course = course;
  state.courseOnce = once;
  tell("course");
}

export async function setFollowing(following) {
  if (state.account.callback?.url) {
    await push({ event: following ? "subscribe" : "unsubscribe" });
    return;
  }
  await attempt(() => changeUser(state.user.openid, { following }));
  if (following) await attempt(() => readMenu(true));
}

export async function sendPicture(blob) {
  const path = `${userPath(state.account.appid, state.user.openid)}/pictures`;
  return call("POST", path, blob);
}

// ---------------------------------------------------------------------------- the wire

function watchWire() {
  wireWatch.abort();
  wireWatch = new AbortController();
  const { signal } = wireWatch;
  follow(signal, async () => {
    const known = life === null ? "" : `&life=${life}`;
    const answer = await call("GET", `/wire?after=${revision}&wait_s=25${known}`, undefined, signal);
    const renewed = life !== null && answer.life !== life;
    if (renewed) state.exchanges.clear();
    life = answer.life;
    revision = answer.next;
    for (const each of answer.exchanges) state.exchanges.set(each.seq, each);
    while (state.exchanges.size > HELD) state.exchanges.delete(state.exchanges.keys().next().value);
    if (answer.exchanges.length || renewed) tell("wire");
    if (renewed) await load();
    await pause(150, signal);
  }, online);
}

export function clearWire() {
  state.exchanges.clear();
  tell("wire");
}

export function triesOf(pushId) {
  return [...state.exchanges.values()].filter((each) => each.push === pushId).sort((a, b) => a.try - b.try);
}

function newestExchange() {
  const mine = [...state.exchanges.values()].filter((each) => !each.attack && each.appid === state.account.appid);
  return mine.at(-1);
}

// ---------------------------------------------------------------------------- clock and tools

export function emulatedNow() {
  const { now, frozen, seenAt } = state.clock;
  return frozen ? now : now + (performance.now() - seenAt) / 1000;
}

export async function readClock() {
  keepClock(await call("GET", "/clock"));
}

export async function moveClock(change) {
  await attempt(async () => keepClock(await call("POST", "/clock", change)));
  await attempt(() => readMenu(false));
}

function keepClock(clock) {
  state.clock = { ...clock, seenAt: performance.now() };
  tell("clock");
}

export async function readTools() {
  const path = accountPath(state.account.appid);
  const [account, history, faults] = await Promise.all([
    call("GET", path), call("GET", `${path}/menu-history?count=1`), call("GET", "/faults"),
  ]);
  const place = state.accounts.findIndex((each) => each.appid === account.appid);
  const before = JSON.stringify([state.account.callback, state.consoleState, state.faults]);
  state.accounts[place] = account;
  if (state.account.appid === account.appid) state.account = account;
  state.consoleState = history.now;
  state.faults = faults.faults;
  if (before !== JSON.stringify([account.callback, history.now, faults.faults])) tell("tools");
}

async function lookAgain() {
  if (!state.user) return;
  await readMenu(false);
  await readClock();
  await readTools();
}

function online(isOnline) {
  if (state.online === isOnline) return;
  state.online = isOnline;
  tell("online");
}
