// WebSockets and event streams as tests read them: every message is kept, and a test waits for the ones it names.
import { after } from "node:test";
import { EventSource } from "eventsource";
import WebSocket from "ws";
import { PATIENCE_MS } from "./until.mjs";

// What a test that failed has left open would keep the runner waiting: an EventSource connects again for ever.
const open = new Set();
after(() => { for (const end of open) end(); });

// What both kinds share: messages in order, and next(), which waits for the first that fits among those not taken yet.
function mailbox() {
  const box = { messages: [], ended: null };
  const waiting = new Set();
  let taken = 0;
  const look = () => { for (const w of waiting) w(); };
  box.put = (message) => { box.messages.push(message); look(); };
  box.end = (how) => { box.ended ??= how; look(); };
  box.next = (fits = () => true, patience = PATIENCE_MS) => new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting.delete(attempt);
      reject(new Error(`nothing fitting came; there were ${JSON.stringify(box.messages.slice(-5))}, end ${JSON.stringify(box.ended)}`));
    }, patience);
    const done = (f, value) => { clearTimeout(timer); waiting.delete(attempt); f(value); };
    const attempt = () => {
      for (let i = taken; i < box.messages.length; i++) {
        if (!fits(box.messages[i])) continue;
        taken = i + 1;
        done(resolve, box.messages[i]);
        return;
      }
      if (box.ended) done(reject, new Error(`ended with ${JSON.stringify(box.ended)}`));
    };
    waiting.add(attempt);
    attempt();
  });
  box.end_of = (patience = PATIENCE_MS) => new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting.delete(attempt);
      reject(new Error(`did not end; ${JSON.stringify(box.messages.slice(-3))}`));
    }, patience);
    const attempt = () => {
      if (!box.ended) return;
      clearTimeout(timer);
      waiting.delete(attempt);
      resolve(box.ended);
    };
    waiting.add(attempt);
    attempt();
  });
  return box;
}

// options: auth (Authorization), protocols, headers. Resolves when it is open; a refused handshake rejects with its .status.
export async function openSocket(server, path, { auth, protocols, headers = {}, options = {} } = {}) {
  const box = mailbox();
  const ws = new WebSocket(server.url.replace(/^http/, "ws") + path, protocols, { headers: { ...headers, ...(auth ? { authorization: auth } : {}) }, ...options });
  ws.on("message", (bytes) => box.put(JSON.parse(bytes.toString())));
  ws.on("close", (code, reason) => box.end({ code, reason: reason.toString() }));
  box.ws = ws;
  const end = () => ws.terminate();
  open.add(end);
  ws.on("close", () => open.delete(end));
  box.send = (message) => ws.send(typeof message === "string" ? message : JSON.stringify(message));
  box.close = () => { ws.close(); return box.end_of(); };
  await new Promise((resolve, reject) => {
    ws.once("open", resolve);
    ws.on("unexpected-response", (_, answer) => { reject(Object.assign(new Error(`refused with ${answer.statusCode}`), { status: answer.statusCode })); ws.terminate(); });
    ws.on("error", reject);
  });
  ws.removeAllListeners("error");
  ws.on("error", () => {});
  return box;
}

// An EventSource, as browsers have it. next() gives the events' JSON with their id as .id.
export async function openEvents(server, path, { auth, headers = {} } = {}) {
  const box = mailbox();
  const source = new EventSource(server.url + path, {
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers, ...(auth ? { authorization: auth } : {}) } }),
  });
  const take = (event) => box.put({ ...JSON.parse(event.data), id: event.lastEventId, event: event.type });
  for (const type of ["message", "resync", "unsubscribed"]) source.addEventListener(type, take);
  box.source = source;
  box.close = () => { source.close(); open.delete(box.close); box.end({ closed: true }); };
  open.add(box.close);
  await new Promise((resolve, reject) => {
    source.onopen = resolve;
    source.onerror = (event) => reject(Object.assign(new Error(event.message), { status: event.code }));
  });
  source.onerror = (event) => { if (source.readyState === EventSource.CLOSED) box.end({ status: event.code }); };
  return box;
}
