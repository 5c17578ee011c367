'use strict';

// An unmodified co-wechat under koa whose handler answers nothing: it checks, decrypts, parses.
// `node co_wechat.js TOKEN APPID AES_KEY` prints its port and serves until its input ends.

const path = require('path');
const { createRequire } = require('module');

const installed = createRequire(path.join(__dirname, '../../sdk/node/package.json'));
const Koa = installed('koa');
const wechat = installed('co-wechat');

const [token, appid, encodingAESKey] = process.argv.slice(2);

const app = new Koa();
app.use(wechat({ token, appid, encodingAESKey }).middleware(async () => ''));
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));

process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
