'use strict';

// Lets tests use an unmodified wechat-crypto: for each line with a JSON object, one is answered.
// In: {token, aesKey, appid, timestamp, nonce} with `message`, which is sealed, or `encrypted`,
// which is opened. Out: {encrypted, signature} or {message, appid, signature}, or {error}.

const path = require('path');
const readline = require('readline');
const { createRequire } = require('module');

const installed = createRequire(path.join(__dirname, '../../sdk/node/package.json'));
const WXBizMsgCrypt = installed('wechat-crypto');

function answerTo(asked) {
  const crypt = new WXBizMsgCrypt(asked.token, asked.aesKey, asked.appid);
  const answer = {};
  if (asked.encrypted === undefined) {
    answer.encrypted = crypt.encrypt(asked.message);
  } else {
    const opened = crypt.decrypt(asked.encrypted);
    answer.message = opened.message;
    answer.appid = opened.id;
  }
  const encrypted = asked.encrypted ?? answer.encrypted;
  answer.signature = crypt.getSignature(asked.timestamp, asked.nonce, encrypted);
  return answer;
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  let answer;
  try {
    answer = answerTo(JSON.parse(line));
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
