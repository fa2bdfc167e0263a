// A real mail server in a process of its own (inbox.py), and what it has taken.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { PATIENCE_MS } from "./until.mjs";

const SCRIPT = new URL("inbox.py", import.meta.url).pathname;

// args: of inbox.py. An inbox has url, messages and refusals; a closed one is opened by open(), refusals are lifted by takeAll().
export async function startInbox({ args = [] } = {}) {
  const child = spawn("/usr/bin/python3", [SCRIPT, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const inbox = { messages: [], refusals: [] };
  const waiting = new Set();
  const exited = new Promise((resolve) => { child.on("close", resolve); });
  let isOpen, isLifted;
  const opened = new Promise((resolve) => { isOpen = resolve; });
  const lifted = new Promise((resolve) => { isLifted = resolve; });
  const port = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the inbox ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const said = JSON.parse(line);
      if (said.port) return resolve(said.port);
      if (said.open) return isOpen();
      if (said.lifted) return isLifted();
      if (said.refused !== undefined) inbox.refusals.push(said);
      else inbox.messages.push(said);
      for (const look of [...waiting]) look();
    });
  });
  if (!args.includes("--closed")) await opened;
  inbox.url = `smtp://127.0.0.1:${port}`;
  // The first message for whom the condition holds, when it comes.
  inbox.find = (condition, timeoutMs = PATIENCE_MS) => new Promise((resolve, reject) => {
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
  inbox.open = async () => { child.stdin.write("\n"); await opened; };
  inbox.takeAll = async () => { child.stdin.write("\n"); await lifted; };
  inbox.stop = async () => { child.stdin.end(); await exited; };
  return inbox;
}
