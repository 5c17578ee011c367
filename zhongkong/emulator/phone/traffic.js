// The exchanges with the account's server, kept as they happen.

import { call, follow, pause } from "/phone/api.js";
import { HELD, online, state, tell } from "/phone/state.js";

const BREATH_MS = 150;

let watch = new AbortController();
let life = null;
let revision = 0;

// `renewed` is called when everything began anew.
export function watchTraffic(renewed) {
  watch.abort();
  watch = new AbortController();
  const { signal } = watch;
  follow(signal, async () => {
    const known = life === null ? "" : `&life=${life}`;
    const answer = await call("GET", `/wire?after=${revision}&wait_s=25${known}`, undefined, signal);
    const isNew = life !== null && answer.life !== life;
    if (isNew) state.exchanges.clear();
    life = answer.life;
    revision = answer.next;
    for (const each of answer.exchanges) state.exchanges.set(each.seq, each);
    while (state.exchanges.size > HELD) state.exchanges.delete(state.exchanges.keys().next().value);
    if (answer.exchanges.length || isNew) tell("wire");
    if (isNew) await renewed();
    await pause(BREATH_MS, signal);
  }, online);
}

export function clearTraffic() {
  state.exchanges.clear();
  tell("wire");
}

export function triesOf(pushId) {
  return [...state.exchanges.values()].filter((each) => each.push === pushId).sort((a, b) => a.try - b.try);
}

export function newestExchange() {
  const mine = [...state.exchanges.values()].filter((each) => !each.attack && each.appid === state.account.appid);
  return mine.at(-1);
}
