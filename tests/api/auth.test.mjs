// Logging in and what follows from it, with hostile tokens made by the jose library: what opens a session, what ends it, and that
// nothing but this server's own key and algorithm is believed.
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { SignJWT, UnsecuredJWT, decodeJwt, decodeProtectedHeader } from "jose";
import { basic, bearer, command, newStore, onPostgres, startServer } from "./support/server.mjs";

const ADMIN = { username: "ada", password: "correct horse" };
const WRONG = "No active account found with the given credentials";

let store;
let server;

async function addUser(role, username, password = "long enough") {
  const done = await command(["user", "add", ...store.args, "--company", "Acme Ltd", "--username", username, "--role", role, "--password-stdin"],
    { input: `${password}\n` });
  assert.equal(done.code, 0, done.stderr);
}

const post = (path, json, more = {}) => server.request("POST", path, { json, ...more });
const get = (path, auth) => server.request("GET", path, { auth });
const me = (auth) => get("/api/auth/users/me/", auth);

async function tokens(user = ADMIN) {
  const answer = await post("/api/auth/token/", user);
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

before(async () => {
  store = await newStore();
  await addUser("ADMIN", ADMIN.username, ADMIN.password);
  await addUser("EMPLOYEE", "emil");
  await addUser("MANAGER", "mona");
  server = await startServer({ store });
});

after(async () => {
  await server?.stop();
  await store?.remove();
});

describe("token", () => {
  test("both slash forms answer every contract's names, from JSON and from a form", async () => {
    for (const path of ["/api/auth/token", "/api/auth/token/"]) {
      for (const sent of [{ json: ADMIN }, { type: "application/x-www-form-urlencoded", body: new URLSearchParams(ADMIN).toString() }]) {
        const { status, json, headers } = await server.request("POST", path, sent);
        assert.equal(status, 200);
        assert.equal(json.access, json.access_token);
        assert.equal(json.access, json.token);
        assert.equal(json.refresh, json.refresh_token);
        assert.equal(json.token_type, "bearer");
        assert.equal(json.expires_in, 3600);
        assert.equal(json.user.username, "ada");
        assert.equal(json.user.role, "ADMIN");
        assert.equal("password" in json.user, false);
        assert.match(headers.get("cache-control"), /no-store/);
      }
    }
  });

  test("an access token names its key, session, company and end", async () => {
    const { access } = await tokens();
    const header = decodeProtectedHeader(access);
    const claims = decodeJwt(access);
    assert.equal(header.alg, "HS256");
    assert.ok(header.kid);
    assert.equal(claims.iss, "sextant");
    assert.equal(claims.typ, "access");
    assert.equal(claims.exp - claims.iat, 3600);
    assert.ok(claims.session > 0 && claims.company > 0 && Number(claims.sub) > 0);
  });

  test("a login by e-mail address works, in any case of it and of the name", async () => {
    const admin = bearer((await tokens()).access);
    const changed = await server.request("PUT", "/api/auth/users/me/", { auth: admin, json: { email: "Ada@Example.com" } });
    assert.equal(changed.status, 200, changed.text);
    for (const username of ["ada@example.com", "ADA"]) assert.equal((await post("/api/auth/token/", { ...ADMIN, username })).status, 200);
  });

  test("a wrong password and an unknown name are the same answer", async () => {
    for (const [username, password] of [["mona", "not it"], ["nobody", "not it"]]) {
      const answer = await post("/api/auth/token/", { username, password });
      assert.equal(answer.status, 401);
      assert.equal(answer.json.detail, WRONG);
      assert.match(answer.headers.get("www-authenticate"), /^Bearer/);
    }
  });

  test("faults of the body are told together", async () => {
    const missing = await post("/api/auth/token/", {});
    assert.equal(missing.status, 400);
    assert.deepEqual(missing.json.details, { username: ["This field is required."], password: ["This field is required."] });
    const kinds = await post("/api/auth/token/", { username: 5, password: "" });
    assert.deepEqual(kinds.json.details, { username: ["Not a valid string."], password: ["This field may not be blank."] });
    assert.equal((await post("/api/auth/token/", [])).status, 400);
    assert.equal((await server.request("POST", "/api/auth/token/", { type: "application/json", body: "{" })).status, 400);
    assert.equal((await server.request("POST", "/api/auth/token/", { type: "text/plain", body: "x" })).status, 415);
    assert.equal((await server.request("GET", "/api/auth/token/")).status, 405);
  });

  test("names that could not exist are refused like any other", async () => {
    for (const username of ["\u0000", "a\u0000b", "x".repeat(5000), "' OR 1=1 --", "%", "ada\n"]) {
      const answer = await post("/api/auth/token/", { username, password: "whatever it is" });
      assert.equal(answer.status, 401, JSON.stringify(username));
    }
    assert.equal((await post("/api/auth/token/", { username: "ada", password: "x".repeat(100_000) })).status, 401);
  });
});

describe("refresh", () => {
  test("a refresh token gives a new pair once; its second use ends the session", async () => {
    const first = await tokens();
    const second = await post("/api/auth/token/refresh/", { refresh: first.refresh });
    assert.equal(second.status, 200, second.text);
    assert.notEqual(second.json.refresh, first.refresh);
    assert.equal((await me(bearer(second.json.access))).status, 200);

    const again = await post("/api/auth/token/refresh/", { refresh: first.refresh });
    assert.equal(again.status, 401);
    assert.equal(again.json.detail, "Token is invalid or expired");
    assert.equal((await me(bearer(second.json.access))).status, 401, "the copied session ends");
    assert.equal((await me(bearer(first.access))).status, 401);
    assert.equal((await post("/api/auth/token/refresh/", { refresh: second.json.refresh })).status, 401);
  });

  test("of many uses at once one succeeds", async () => {
    const { refresh } = await tokens();
    const answers = await Promise.all(Array.from({ length: 8 }, () => post("/api/auth/token/refresh", { refresh })));
    assert.equal(answers.filter((a) => a.status === 200).length, 1);
    assert.equal(answers.filter((a) => a.status === 401).length, 7);
  });

  test("an access token is no refresh token, and the other way round", async () => {
    const { access, refresh } = await tokens();
    const answer = await post("/api/auth/token/refresh/", { refresh: access });
    assert.equal(answer.status, 401);
    assert.equal(answer.json.detail, "Token has wrong type");
    assert.equal((await me(bearer(refresh))).status, 401);
  });

  test("verify tells good from bad", async () => {
    const { access, refresh } = await tokens();
    for (const token of [access, refresh]) {
      const answer = await post("/api/auth/token/verify/", { token });
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.json, {});
    }
    await post("/api/auth/token/refresh/", { refresh });
    assert.equal((await post("/api/auth/token/verify/", { token: refresh })).status, 401, "it is used up");
    assert.equal((await post("/api/auth/token/verify/", { token: "x.y.z" })).status, 401);
    assert.equal((await post("/api/auth/token/verify/", {})).status, 400);
  });
});

describe("hostile tokens", () => {
  const refused = async (token, why) => {
    const answer = await me(bearer(token));
    assert.equal(answer.status, 401, why);
    assert.equal(answer.json.code, "token_not_valid", why);
    assert.equal((await post("/api/auth/token/verify/", { token })).status, 401, why);
    assert.equal((await post("/api/auth/token/refresh/", { refresh: token })).status, 401, why);
  };
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

  test("without a signature", async () => {
    const { access } = await tokens();
    const [header, body] = access.split(".");
    const claims = decodeJwt(access);
    await refused(new UnsecuredJWT(claims).encode(), "alg none");
    for (const alg of ["none", "None", "NONE", "nOnE"]) await refused(`${encode({ ...decodeProtectedHeader(access), alg })}.${body}.`, alg);
    await refused(`${header}.${body}.`, "the signature left out");
    await refused(`${header}.${body}`, "only two parts");
  });

  test("signed with another algorithm or key", async () => {
    const { access } = await tokens();
    const claims = decodeJwt(access);
    const { kid } = decodeProtectedHeader(access);
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const secret = new TextEncoder().encode("secret".repeat(8));
    await refused(await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid }).sign(secret), "a guessed key");
    await refused(await new SignJWT(claims).setProtectedHeader({ alg: "HS512", kid }).sign(secret.slice(0)), "HS512");
    await refused(await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid }).sign(rsa.privateKey), "RS256");
    await refused(await new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid }).sign(ec.privateKey), "ES256");
    await refused(await new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(secret), "no kid");
    await refused(await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "x" }).sign(secret), "an unknown kid");
    await refused(await new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: "../../dev/null" }).sign(secret), "a path as kid");
  });

  test("a public key taken for a secret", async () => {
    const { access } = await tokens();
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const head = encode({ ...decodeProtectedHeader(access), alg: "HS256" });
    const body = access.split(".")[1];
    const pem = publicKey.export({ type: "spki", format: "pem" });
    const mac = createHmac("sha256", pem).update(`${head}.${body}`).digest("base64url");
    await refused(`${head}.${body}.${mac}`, "confused key");
  });

  test("changed after signing", async () => {
    const { access } = await tokens({ username: "emil", password: "long enough" });
    const [header, body, signature] = access.split(".");
    const claims = decodeJwt(access);
    for (const change of [{ sub: "1", user_id: 1 }, { exp: claims.exp + 1 }, { company: 99 }, { session: claims.session + 1 }, { typ: "refresh" }]) {
      await refused(`${header}.${encode({ ...claims, ...change })}.${signature}`, JSON.stringify(change));
    }
    const flipped = signature[0] === "A" ? "B" : "A";
    await refused(`${header}.${body}.${flipped}${signature.slice(1)}`, "another signature");
    await refused(`${encode({ ...decodeProtectedHeader(access), crit: ["exp"] })}.${body}.${signature}`, "another header");
  });

  test("shapes that are no token at all", async () => {
    for (const token of ["x", "..", "a.b.c", "a.b.c.d", "é.é.é", "x".repeat(5000), "eyJhbGciOiJIUzI1NiJ9..", "[object Object]"]) {
      const answer = await post("/api/auth/token/verify", { token });
      assert.equal(answer.status, 401, token.slice(0, 40));
    }
    for (const auth of ["Bearer", "Bearer ", "Bearer  a b", "Basic", "Basic !!!", "Basic YWRh", "Digest x", "bearer null"]) {
      assert.equal((await me(auth)).status, 401, auth);
    }
  });
});

describe("what ends a session", () => {
  test("logout, at once and for its own session only", async () => {
    const one = await tokens();
    const other = await tokens();
    assert.equal((await server.request("POST", "/api/v1/logout", { auth: bearer(one.access) })).status, 200);
    assert.equal((await me(bearer(one.access))).status, 401);
    assert.equal((await post("/api/auth/token/refresh/", { refresh: one.refresh })).status, 401);
    assert.equal((await me(bearer(other.access))).status, 200);
    assert.equal((await server.request("POST", "/api/v1/logout")).status, 401);
  });

  test("deactivation and a new password, for tokens and for remembered Basic credentials", async () => {
    const admin = bearer((await tokens()).access);
    const made = await post("/api/v1/users", { username: "temp", password: "long enough", role: "EMPLOYEE" }, { auth: admin });
    assert.equal(made.status, 201, made.text);
    const path = `/api/v1/users/${made.json.data.id}`;
    const user = { username: "temp", password: "long enough" };
    const first = bearer((await tokens(user)).access);
    assert.equal((await me(first)).status, 200);
    assert.equal((await me(basic("temp", "long enough"))).status, 200);
    assert.equal((await me(basic("temp", "long enough"))).status, 200, "remembered");

    assert.equal((await server.request("PUT", path, { auth: admin, json: { password: "another one" } })).status, 200);
    assert.equal((await me(first)).status, 401);
    assert.equal((await me(basic("temp", "long enough"))).status, 401);
    assert.equal((await me(basic("temp", "another one"))).status, 200);

    const second = bearer((await tokens({ username: "temp", password: "another one" })).access);
    assert.equal((await server.request("DELETE", path, { auth: admin })).status, 200);
    assert.equal((await me(second)).status, 401);
    assert.equal((await me(basic("temp", "another one"))).status, 401);
    const refused = await post("/api/auth/token/", { username: "temp", password: "another one" });
    assert.equal(refused.status, 401);
    assert.equal(refused.json.detail, WRONG);
  });

  test("changing the own password keeps the session that did it and ends the others", async () => {
    const keep = await tokens({ username: "mona", password: "long enough" });
    const lose = await tokens({ username: "mona", password: "long enough" });
    const changed = await server.request("PUT", "/api/auth/users/me", { auth: bearer(keep.access), json: { password: "even longer" } });
    assert.equal(changed.status, 200, changed.text);
    assert.equal((await me(bearer(keep.access))).status, 200);
    assert.equal((await me(bearer(lose.access))).status, 401);
  });
});

describe("every kind of credential on every route", () => {
  test("Bearer, Basic and API key", async () => {
    const { access } = await tokens();
    const made = await post("/api/v1/api-keys", { name: "sync", role: "ADMIN" }, { auth: bearer(access) });
    assert.equal(made.status, 201, made.text);
    const { key } = made.json;
    assert.match(key, /^sxt_/);
    assert.match(made.headers.get("cache-control"), /no-store/);
    const list = await get("/api/v1/api-keys", bearer(access));
    assert.equal(list.text.includes(key), false, "shown once");
    const path = "/api/v1/roles";
    assert.equal((await get(path, bearer(access))).status, 200);
    assert.equal((await get(path, basic("ada", "correct horse"))).status, 200);
    assert.equal((await server.request("GET", path, { headers: { "x-api-key": key } })).status, 200);
    assert.equal((await get(path, bearer(key))).status, 200);
    assert.equal((await server.request("GET", path, { headers: { "x-api-key": `${key}x` } })).status, 401);

    const one = `/api/v1/api-keys/${made.json.data.id}`;
    assert.equal((await server.request("DELETE", one, { auth: bearer(access) })).status, 200);
    assert.equal((await server.request("GET", path, { headers: { "x-api-key": key } })).status, 401, "revoked at once");
  });

  test("a key may do what its role may, and ends when it says", async () => {
    const admin = bearer((await tokens()).access);
    const made = await post("/api/v1/api-keys", { name: "erp", expires_at: "2020-01-01T00:00:00Z" }, { auth: admin });
    assert.equal(made.json.data.role, "INTEGRATION");
    assert.equal((await server.request("GET", "/api/v1/teams", { headers: { "x-api-key": made.json.key } })).status, 401);
    const open = await post("/api/v1/api-keys", { name: "erp 2" }, { auth: admin });
    assert.equal((await server.request("GET", "/api/v1/teams", { headers: { "x-api-key": open.json.key } })).status, 200);
    assert.equal((await server.request("GET", "/api/v1/roles", { headers: { "x-api-key": open.json.key } })).status, 403);
    assert.equal((await post("/api/v1/api-keys", { name: "x" }, { auth: basic("emil", "long enough") })).status, 403);
  });

  test("the challenge follows the contract", async () => {
    assert.match((await get("/api/auth/users/me/")).headers.get("www-authenticate"), /^Bearer/);
    assert.match((await get("/api/v1/kpi-management/assignments")).headers.get("www-authenticate"), /^Basic/);
    assert.equal((await get("/api/auth/users/me/")).json.detail, "Authentication credentials were not provided.");
  });
});

describe("crm logins", () => {
  test("i_auth answers its document's members at the top and in data", async () => {
    const { status, json } = await post("/api/v1/i_auth", { ...ADMIN, user_agent: "test", authflow: "jwt" });
    assert.equal(status, 200);
    for (const from of [json, json.data]) {
      assert.equal(typeof from.token, "string");
      assert.equal(from.role, "ADMIN");
      assert.equal(from.expires_in, 3600);
      assert.ok(Number.isInteger(from.user_id) && Number.isInteger(from.company_id));
    }
    assert.equal(json.status, 200);
    assert.equal((await get("/api/v1/users", bearer(json.token))).status, 200);
  });

  test("failures are 500, a suspended account 505, and unknown looks like wrong", async () => {
    const texts = new Set();
    for (const [username, password] of [["nobody", "not it"], ["emil", "not it"]]) {
      const answer = await post("/api/v1/i_auth", { username, password });
      assert.equal(answer.status, 500);
      assert.equal(answer.json.status, 500);
      texts.add(answer.json.error);
    }
    assert.equal(texts.size, 1);
    const admin = bearer((await tokens()).access);
    const made = await post("/api/v1/users", { username: "susan", password: "long enough", suspended: true }, { auth: admin });
    assert.equal(made.status, 201, made.text);
    assert.equal((await post("/api/v1/i_auth", { username: "susan", password: "long enough" })).status, 505);
    assert.equal((await post("/api/v1/i_auth", { username: "susan", password: "not it" })).status, 500, "only who knows the password learns it");
    assert.equal((await post("/api/v1/i_auth", {})).status, 400);
  });

  test("ex_auth wants the account's own company", async () => {
    const good = await post("/api/v1/ex_auth", { ...ADMIN, company_id: (await post("/api/v1/i_auth", ADMIN)).json.company_id });
    assert.equal(good.status, 200);
    assert.equal((await post("/api/v1/ex_auth", { ...ADMIN, company_id: 999999 })).status, 500);
    assert.equal((await post("/api/v1/ex_auth", { ...ADMIN, company_id: "x" })).status, 400);
  });
});

describe("guessing", () => {
  // The first waits are of seconds, which a slow machine sees pass; each further failure doubles them.
  const refused = async (guess) => {
    for (let i = 0; i < 12; i++) {
      const answer = await guess();
      if (answer.status === 429) return answer;
      assert.equal(answer.status, 401);
    }
    return assert.fail("one may go on guessing");
  };

  test("after ten failures in a row a name is refused for a while from that address, others are not", async () => {
    const guess = () => post("/api/auth/token/", { username: "guessed", password: "no" });
    for (let i = 0; i < 10; i++) assert.equal((await guess()).status, 401, `guess ${i}`);
    assert.ok(Number((await refused(guess)).headers.get("retry-after")) >= 1);
    assert.equal((await post("/api/auth/token/", ADMIN)).status, 200);
    await refused(() => me(basic("guessed", "no")));
  });
});

test("failed logins are 401 and 403 where the operator says so", async () => {
  const other = await newStore();
  const strict = await startServer({ store: other, args: ["--login-failures-401"] });
  try {
    const answer = await strict.request("POST", "/api/v1/i_auth", { json: { username: "x", password: "y" } });
    assert.equal(answer.status, 401);
  } finally {
    await strict.stop();
    await other.remove();
  }
});

test("nodes of one installation share keys and logouts; a SQLite directory has one server", async () => {
  const second = await startServer({ store }).catch((error) => error);
  if (!onPostgres) {
    assert.match(String(second), /A server is running/);
    return;
  }
  try {
    const { access } = await tokens();
    assert.equal((await second.request("GET", "/api/auth/users/me", { auth: bearer(access) })).status, 200);
    assert.equal((await server.request("POST", "/api/v1/logout", { auth: bearer(access) })).status, 200);
    assert.equal((await second.request("GET", "/api/auth/users/me", { auth: bearer(access) })).status, 401);
  } finally {
    await second.stop();
  }
});

test("an expired token is refused", async () => {
  const own = await newStore();
  await command(["user", "add", ...own.args, "--company", "A", "--username", "ada", "--role", "ADMIN", "--password-stdin"], { input: "correct horse\n" });
  const brief = await startServer({ store: own, args: ["--access-token-seconds", "1", "--refresh-token-seconds", "2"] });
  try {
    const { json } = await brief.request("POST", "/api/auth/token", { json: ADMIN });
    assert.equal(json.expires_in, 1);
    await new Promise((resolve) => { setTimeout(resolve, 2100); });
    assert.equal((await brief.request("GET", "/api/auth/users/me", { auth: bearer(json.access) })).status, 401);
    assert.equal((await brief.request("POST", "/api/auth/token/refresh", { json: { refresh: json.refresh } })).status, 401);
  } finally {
    await brief.stop();
    await own.remove();
  }
});
