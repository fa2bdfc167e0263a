// The streams alone (bench/stream/server.c), over plain HTTP and over TLS, with real clients: the npm package ws and fetch.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import WebSocket from "ws";
import { onPostgres } from "./support/server.mjs";

const BINARY = process.env.SEXTANT_BIN ?? new URL("../../build-test/sextant", import.meta.url).pathname;
const SERVER = join(dirname(BINARY), "bench", "bench_stream_server");

let directory;
let certificate;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "sextant-stream-"));
  certificate = [join(directory, "cert.pem"), join(directory, "key.pem")];
  await promisify(execFile)("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-out", certificate[0], "-keyout", certificate[1]]);
});

after(() => rm(directory, { recursive: true, force: true }));

class Server {
  constructor(secure) {
    this.secure = secure;
  }

  async start() {
    this.child = spawn(SERVER, this.secure ? certificate : [], { stdio: ["pipe", "pipe", "inherit"] });
    const [line] = await once(this.child.stdout.setEncoding("utf8"), "data");
    this.authority = line.trim();
    this.agent = new https.Agent({ rejectUnauthorized: false });
    return this;
  }

  // An event stream's answer, or that of a request.
  async request(method, path) {
    const scheme = this.secure ? https : http;
    const options = { method, ...(this.secure ? { agent: this.agent } : {}) };
    const request = scheme.request(`${this.secure ? "https" : "http"}://${this.authority}${path}`, options).end();
    const [response] = await once(request, "response");
    return response.setEncoding("utf8");
  }

  async publish(count, rate = 0) {
    (await this.request("POST", `/publish?${count},${rate}`)).resume();
  }

  open(path, protocols) {
    return new Socket(new WebSocket(`${this.secure ? "wss" : "ws"}://${this.authority}${path}`, protocols, { rejectUnauthorized: false }));
  }

  // A sanitizer's complaint is an exit code.
  async stop() {
    this.child.stdin.end();
    if (this.child.exitCode === null) await once(this.child, "exit");
    assert.equal(this.child.exitCode, 0);
  }
}

// A WebSocket whose messages wait until they are asked for.
class Socket {
  constructor(ws) {
    this.ws = ws;
    this.texts = [];
    this.waiting = [];
    ws.on("message", (bytes, binary) => {
      assert.equal(binary, false);
      const next = this.waiting.shift();
      if (next) next.resolve(bytes.toString());
      else this.texts.push(bytes.toString());
    });
    this.opened = once(ws, "open");
    this.opened.catch(() => {});
    this.closed = once(ws, "close").then(([code, reason]) => ({ code, reason: reason.toString() }));
    this.closed.catch(() => {});
    ws.on("close", (code) => { for (const next of this.waiting) next.reject(new Error(`closed with ${code} while a text was waited for`)); });
  }

  next() {
    return this.texts.length ? this.texts.shift() : new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  // Open, and among those who hear what is published from now on.
  async subscribed() {
    await this.opened;
    await this.echoes("here");
  }

  async echoes(text) {
    this.ws.send(text);
    assert.equal(await this.next(), text);
  }
}

async function eventsOf(response, count) {
  let text = "";
  for await (const piece of response) {
    text += piece;
    if (text.split("\n\n").filter((event) => event.includes("data:")).length > count - 1 && text.endsWith("\n\n")) break;
  }
  return text;
}

for (const secure of [false, true]) {
  describe(secure ? "over TLS" : "over plain HTTP", { skip: onPostgres ? "no database takes part" : false }, () => {
    let server;

    before(async () => { server = await new Server(secure).start(); });
    after(() => server.stop());

    test("texts of every form of length come back, in whole and in fragments", async () => {
      const socket = server.open("/echo");
      await socket.opened;
      for (const length of [0, 1, 125, 126, 127, 65535, 65536]) {
        const text = "x".repeat(length);
        await socket.echoes(text);
        socket.ws.send(text.slice(0, length / 2), { fin: false });
        socket.ws.ping("between");
        socket.ws.send(text.slice(length / 2), { fin: true });
        assert.equal(await socket.next(), text);
      }
      await socket.echoes("naïve — 日本語 🜂");
      socket.ws.close(4001, "bye");
      assert.deepEqual(await socket.closed, { code: 4001, reason: "" });
    });

    test("pings are answered with their payload", async () => {
      const socket = server.open("/echo");
      await socket.opened;
      socket.ws.ping("p".repeat(125));
      const [payload] = await once(socket.ws, "pong");
      assert.equal(payload.toString(), "p".repeat(125));
      socket.ws.close();
      assert.equal((await socket.closed).code, 1005);
    });

    test("a subprotocol is agreed on only when the client offers it", async () => {
      const offered = server.open("/echo", ["other.v2", "bench.v1"]);
      await offered.opened;
      assert.equal(offered.ws.protocol, "bench.v1");
      const silent = server.open("/echo");
      await silent.opened;
      assert.equal(silent.ws.protocol, "");
      offered.ws.terminate();
      silent.ws.terminate();
    });

    test("binary, large and unmasked messages are refused with their codes", async () => {
      const cases = [
        [(ws) => ws.send(Buffer.from([1, 2, 3])), 1003],
        [(ws) => ws.send("x".repeat(65537)), 1009],
        [(ws) => ws.send(Buffer.from([0xce, 0xba, 0xed, 0xa0, 0x80]), { binary: false }), 1007],
        [(ws) => ws.send("x", { mask: false }), 1002],
      ];
      for (const [send, code] of cases) {
        const socket = server.open("/echo");
        await socket.opened;
        send(socket.ws);
        assert.equal((await socket.closed).code, code);
      }
    });

    test("every subscriber of either kind hears every event in order", async () => {
      const sockets = Array.from({ length: 40 }, () => server.open("/ws"));
      await Promise.all(sockets.map((socket) => socket.subscribed()));
      const responses = await Promise.all(Array.from({ length: 20 }, () => server.request("GET", "/events")));
      assert.ok(responses.every((response) => response.headers["content-type"] === "text/event-stream"));
      const heard = Promise.all(responses.map((response) => eventsOf(response, 30)));
      await server.publish(30, 300);
      for (const socket of sockets) {
        const times = [];
        for (let i = 0; i < 30; i++) times.push(JSON.parse(await socket.next()).t);
        assert.deepEqual(times, times.toSorted((a, b) => a - b));
        socket.ws.terminate();
      }
      for (const text of await heard) {
        assert.match(text, /^retry: 2000\n\nid: 1\nevent: tick\ndata: \{/);
        assert.equal(text.match(/^data: /gm).length, 30);
      }
    });

    test("clients that leave at any moment do not harm the others", async () => {
      const stays = server.open("/ws");
      await stays.subscribed();
      await server.publish(200, 1000);
      for (let round = 0; round < 20; round++) {
        const leaving = [server.open("/ws"), server.open("/echo")];
        const response = await server.request("GET", "/events");
        await Promise.all(leaving.map((socket) => socket.opened));
        leaving[1].ws.send("last words");
        for (const socket of leaving) socket.ws.terminate();
        response.destroy();
      }
      for (let i = 0; i < 200; i++) await stays.next();
      stays.ws.close(1000);
      assert.equal((await stays.closed).code, 1000);
    });
  });
}

for (const secure of [false, true]) {
  test(`stopping tells ${secure ? "TLS" : "plain"} clients to connect again`, { skip: onPostgres ? "no database takes part" : false }, async () => {
    const server = await new Server(secure).start();
    const sockets = Array.from({ length: 10 }, () => server.open("/ws"));
    await Promise.all(sockets.map((socket) => socket.subscribed()));
    const response = await server.request("GET", "/events");
    const text = (async () => {
      let all = "";
      for await (const piece of response) all += piece;
      return all;
    })();
    const begun = Date.now();
    await server.stop();
    for (const socket of sockets) assert.deepEqual(await socket.closed, { code: 1001, reason: "restart" });
    assert.match(await text, /^retry: 2000\n\nretry: [1-5]\d{3}\n\n$/);
    assert.ok(Date.now() - begun < 10_000, "the drain, of 20 s at most, waited for nobody");
  });
}
