'use strict';

// Lets a test call an unmodified co-wechat-api: one JSON object a line in, one a line out.
// In: {"open": {appid, secret, baseUrl}} or {"method", "arguments"}; out: {"result"} or {"error"}.
// Bytes travel as {"base64": "..."}.

const readline = require('readline');
const WeChatAPI = require('co-wechat-api');

function open({ appid, secret, baseUrl }) {
  const api = new WeChatAPI(appid, secret);
  api.prefix = `${baseUrl}/cgi-bin/`;
  api.snsPrefix = `${baseUrl}/sns/`;
  api.mpPrefix = `${baseUrl}/cgi-bin/`;
  api.fileServerPrefix = `${baseUrl}/cgi-bin/`;
  api.payPrefix = `${baseUrl}/pay/`;
  api.merchantPrefix = `${baseUrl}/merchant/`;
  api.customservicePrefix = `${baseUrl}/customservice/`;
  api.wxaPrefix = `${baseUrl}/wxa/`;
  return api;
}

function fromWire(value) {
  const bytes = value !== null && typeof value === 'object' && typeof value.base64 === 'string';
  return bytes ? Buffer.from(value.base64, 'base64') : value;
}

function toWire(value) {
  return Buffer.isBuffer(value) ? { base64: value.toString('base64') } : value;
}

async function main() {
  let api = null;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const call = JSON.parse(line);
    let answer;
    try {
      if (call.open) {
        api = open(call.open);
        answer = { result: null };
      } else {
        const result = await api[call.method](...call.arguments.map(fromWire));
        answer = { result: toWire(result) ?? null };
      }
    } catch (error) {
      answer = { error: { code: error.code ?? null, message: error.message } };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

main();
