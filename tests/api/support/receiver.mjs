// An endpoint for webhooks: a real HTTP server that remembers what it was sent and answers as the test says.
import { createServer } from "node:http";
import { PATIENCE_MS } from "./until.mjs";

// behave(delivery, response) answers; by default 200. A delivery has headers, body, and at (when it came).
export async function startReceiver(behave = (_, response) => response.end("ok")) {
  const receiver = { deliveries: [], behave };
  const waiting = new Set();
  const server = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("error", () => {});
    response.on("error", () => {});
    request.on("end", () => {
      const delivery = { method: request.method, path: request.url, headers: request.headers, body: Buffer.concat(parts).toString("utf8"), at: Date.now() };
      delivery.json = JSON.parse(delivery.body);
      receiver.deliveries.push(delivery);
      receiver.behave(delivery, response);
      for (const look of [...waiting]) look();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  receiver.url = `http://127.0.0.1:${server.address().port}/hook`;
  // Resolves when the deliveries fulfil the condition; rejects after timeoutMs.
  receiver.until = (condition, timeoutMs = PATIENCE_MS) => new Promise((resolve, reject) => {
    const timer = setTimeout(() => { waiting.delete(look); reject(new Error(`not in ${timeoutMs} ms; ${receiver.deliveries.length} deliveries came: ${receiver.deliveries.map((d) => d.json.type).join(" ")}`)); }, timeoutMs);
    const look = () => {
      if (!condition(receiver.deliveries)) return;
      clearTimeout(timer);
      waiting.delete(look);
      resolve(receiver.deliveries);
    };
    waiting.add(look);
    look();
  });
  receiver.count = (n, timeoutMs) => receiver.until((all) => all.length >= n, timeoutMs);
  receiver.close = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  return receiver;
}
