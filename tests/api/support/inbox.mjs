// A real mail server in a process of its own (inbox.py), and what it has taken.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const SCRIPT = new URL("inbox.py", import.meta.url).pathname;

// port 0 takes a free one. args: more of inbox.py. An inbox has port, url and messages.
export async function startInbox({ port = 0, args = [] } = {}) {
  const child = spawn("/usr/bin/python3", [SCRIPT, String(port), ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const inbox = { messages: [] };
  const waiting = new Set();
  const exited = new Promise((resolve) => { child.on("close", resolve); });
  inbox.port = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the inbox ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = JSON.parse(line);
      if (said.ready) return resolve(said.ready);
      inbox.messages.push(said);
      for (const look of [...waiting]) look();
    });
  });
  inbox.url = `smtp://127.0.0.1:${inbox.port}`;
  // The first message for whom the condition holds, when it comes.
  inbox.find = (condition, timeoutMs = 20_000) => new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting.delete(look);
      reject(new Error(`not in ${timeoutMs} ms; there are: ${inbox.messages.map((m) => `${m.to} ${m.headers.subject}`).join("; ")}`));
    }, timeoutMs);
    const look = () => {
      const found = inbox.messages.find(condition);
      if (!found) return;
      clearTimeout(timer);
      waiting.delete(look);
      resolve(found);
    };
    waiting.add(look);
    look();
  });
  inbox.stop = async () => { child.stdin.end(); await exited; };
  return inbox;
}
