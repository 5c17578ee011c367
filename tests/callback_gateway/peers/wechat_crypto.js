'use strict';

// Lets a test use an unmodified wechat-crypto: one JSON object in, one out.
// In: {token, aesKey, appid, timestamp, nonce} with `message`, which is sealed, or `encrypted`,
// which is opened. Out: {encrypted, signature} or {message, appid, signature}.

const fs = require('fs');
const path = require('path');
const { createRequire } = require('module');

const installed = createRequire(path.join(__dirname, '../../sdk/node/package.json'));
const WXBizMsgCrypt = installed('wechat-crypto');

const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
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
process.stdout.write(JSON.stringify(answer));
