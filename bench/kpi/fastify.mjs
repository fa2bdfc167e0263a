// What a fast stack of the same kind does for one value: Fastify, tokens checked, better-sqlite3 in WAL with synchronous=FULL, and the
// requests of one turn of the event loop under one COMMIT, each answered when it is durable. No rollup, no audit row, no state.
import jwt from "@fastify/jwt";
import Database from "better-sqlite3";
import Fastify from "fastify";

const db = new Database(process.argv[2]);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec("CREATE TABLE v (kpi TEXT NOT NULL, at TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (kpi, at)) WITHOUT ROWID");
const insert = db.prepare("INSERT OR REPLACE INTO v (kpi, at, value) VALUES (?, ?, ?)");
const read = db.prepare("SELECT kpi, at, value FROM v WHERE kpi = ? LIMIT 1");

let waiting = [];
const commit = db.transaction((batch) => { for (const w of batch) insert.run(w.kpi, w.at, w.value); });
function flush() {
  const batch = waiting;
  waiting = [];
  commit(batch);
  for (const w of batch) w.resolve();
}
const durable = (row) => new Promise((resolve) => {
  if (waiting.push({ ...row, resolve }) === 1) setImmediate(flush);
});

const app = Fastify({ logger: false });
app.register(jwt, { secret: "a secret of thirty-two characters", verify: { cache: true } });
app.addHook("onRequest", (request) => request.jwtVerify());
const schema = { type: "object", required: ["value", "at"], properties: { value: { type: "number" }, at: { type: "string", format: "date-time" } } };
app.post("/api/kpis/:id/values", { schema: { body: schema } }, async (request, reply) => {
  const row = { kpi: request.params.id, at: request.body.at, value: request.body.value };
  await durable(row);
  reply.code(201);
  return row;
});
app.get("/api/kpis/:id", (request, reply) => { reply.send(read.get(request.params.id) ?? {}); });
await app.ready();
const address = await app.listen({ host: "127.0.0.1", port: 0 });
console.log(JSON.stringify({ address, token: app.jwt.sign({ sub: "1" }, { expiresIn: "1h" }) }));
process.stdin.on("end", () => process.exit(0)).resume();
