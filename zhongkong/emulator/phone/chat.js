// The chat of the user who holds the phone: entered, followed as it grows, left.

import { call, follow, userPath } from "/phone/api.js";
import { emulatedNow, readMenu, readUsers } from "/phone/readings.js";
import { HELD, attempt, online, state, tell } from "/phone/state.js";

let watch = new AbortController();
let local = 0;

export async function enterChat({ later = false } = {}) {
  state.inChat = true;
  tell("place");
  watch.abort();
  watch = new AbortController();
  const { signal } = watch;
  await attempt(() => readMenu(true, later));
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

// Something that WeChat shows without telling the account: it stands in this window only.
export function showHere(type, content) {
  local += 1;
  state.entries.push({ seq: `here${local}`, at: emulatedNow(), kind: "custom", type, content, push: null });
  tell("feed");
}

const changesFollowing = (entry) => entry.kind === "sent" && ["subscribe", "unsubscribe"].includes(entry.content.Event);

async function rereadUser() {
  await readUsers();
  tell("user");
  await readMenu(true);
}
