// People, companies, teams, roles and keys by the words of the business and crm contracts: who may see and change whom, what stays true
// whoever asks, and that another company's people do not exist.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { command, logIn, newStore, startServer } from "./support/server.mjs";

const PASSWORD = "long enough";

let store;
let server;
const auth = {}; // user name → header
const ids = {};  // user name → id

const call = (method, path, as, json) => server.request(method, path, { auth: auth[as], json });
const get = (path, as) => call("GET", path, as);
const post = (path, as, json) => call("POST", path, as, json);
const put = (path, as, json) => call("PUT", path, as, json);
const remove = (path, as) => call("DELETE", path, as);

async function enter(username, password = PASSWORD) {
  auth[username] = await logIn(server, username, password);
  ids[username] = (await get("/api/auth/users/me/", username)).json.id;
}

async function make(username, role, as = "ada", more = {}) {
  const answer = await post("/api/auth/users/", as, { username, password: PASSWORD, role, ...more });
  assert.equal(answer.status, 201, answer.text);
  await enter(username);
  return answer.json;
}

before(async () => {
  store = await newStore();
  const add = async (company, username) => {
    const done = await command(["user", "add", ...store.args, "--company", company, "--username", username, "--role", "ADMIN", "--password-stdin"],
      { input: `${PASSWORD}\n` });
    assert.equal(done.code, 0, done.stderr);
  };
  await add("Acme Ltd", "ada");
  await add("Other Ltd", "olga");
  server = await startServer({ store });
  await enter("ada");
  await enter("olga");
  for (const [name, role] of [["mona", "MANAGER"], ["hanna", "HR"], ["emil", "EMPLOYEE"], ["sam", "SUPERVISOR"]]) await make(name, role);
});

after(async () => {
  await server?.stop();
  await store?.remove();
});

describe("/api/auth/users", () => {
  test("listing is for administrators, in the contract's page", async () => {
    const page = await get("/api/auth/users/?page_size=2&ordering=username", "ada");
    assert.equal(page.status, 200);
    assert.equal(page.json.count, 5);
    assert.equal(page.json.previous, null);
    assert.match(page.json.next, /page=2/);
    assert.deepEqual(page.json.results.map((u) => u.username), ["ada", "emil"]);
    for (const who of ["mona", "hanna", "emil"]) assert.equal((await get("/api/auth/users/", who)).status, 403, who);
    assert.equal((await server.request("GET", "/api/auth/users/")).status, 401);
    assert.equal((await get("/api/auth/users/?page=9", "ada")).json.detail, "Invalid page.");
  });

  test("filters and search look at the declared fields", async () => {
    const names = async (query) => (await get(`/api/auth/users/?${query}`, "ada")).json.results.map((u) => u.username).sort();
    assert.deepEqual(await names("role=HR"), ["hanna"]);
    assert.deepEqual(await names("search=ONA"), ["mona"]);
    assert.deepEqual(await names("username__icontains=a&is_active=true"), ["ada", "hanna", "mona", "sam"]);
    assert.deepEqual(await names("ordering=bogus&unknown=1"), ["ada", "emil", "hanna", "mona", "sam"]);
    assert.equal((await get("/api/auth/users/?is_active=perhaps", "ada")).status, 400);
  });

  test("a created user comes back whole, without the password, and can log in", async () => {
    const made = await post("/api/auth/users", "ada", {
      username: "nina", password: "n1na secret", email: "nina@example.com", first_name: "Nina", last_name: "Ost", is_staff: true, id: 77 });
    assert.equal(made.status, 201, made.text);
    assert.match(made.headers.get("location"), new RegExp(`/api/auth/users/${made.json.id}$`));
    assert.equal(made.json.role, "EMPLOYEE");
    assert.equal(made.json.is_active, true);
    assert.equal(made.json.is_staff, false, "follows from the role");
    assert.notEqual(made.json.id, 77);
    assert.equal(made.text.includes("n1na secret") || made.text.includes("argon2"), false);
    assert.ok(await logIn(server, "nina", "n1na secret"));
    assert.equal(server.log.includes("n1na secret"), false);
    assert.equal((await remove(`/api/auth/users/${made.json.id}/`, "ada")).status, 204);
    assert.equal((await remove(`/api/auth/users/${made.json.id}/`, "ada")).status, 404);
    assert.equal((await get(`/api/auth/users/${made.json.id}/`, "ada")).status, 404);
    assert.equal((await post("/api/auth/users", "ada", { username: "nina", password: PASSWORD })).status, 201, "the name is free again");
  });

  test("all faults at once, in Django's words", async () => {
    const empty = await post("/api/auth/users/", "ada", {});
    assert.equal(empty.status, 400);
    assert.deepEqual(empty.json.details, { username: ["This field is required."], password: ["This field is required."] });
    const bad = await post("/api/auth/users/", "ada",
      { username: "no blanks", email: "x@", password: "short", role: 5, first_name: "x".repeat(151), employee_id: "a/b" });
    assert.equal(bad.status, 400);
    const { details } = bad.json;
    assert.deepEqual(details.email, ["Enter a valid email address."]);
    assert.deepEqual(details.password, ["Ensure this field has at least 8 characters."]);
    assert.deepEqual(details.first_name, ["Ensure this field has no more than 150 characters."]);
    assert.deepEqual(details.role, ["Not a valid string."]);
    assert.match(details.username[0], /^Enter a valid username/);
    assert.ok(details.employee_id);
    assert.deepEqual((await post("/api/auth/users/", "ada", { username: null, password: PASSWORD })).json.details.username, ["This field may not be null."]);
    assert.deepEqual((await post("/api/auth/users/", "ada", { username: "rolf", password: PASSWORD, role: "KING" })).json.details.role,
      ['"KING" is not a valid choice.']);
    assert.equal((await post("/api/auth/users/", "ada", [])).status, 400);
  });

  test("e-mail addresses as Django judges them", async () => {
    const judge = async (email) => (await put("/api/auth/users/me/", "emil", { email })).status;
    for (const email of ["a@b.co", "a.b+c@sub.example.org", "o'neil@example.com", "x@localhost", "é@x.de", ""]) {
      assert.equal(await judge(email), email === "é@x.de" ? 400 : 200, email);
    }
    for (const email of ["a", "@b.co", "a@", "a@b", "a b@c.de", "a@b..co", ".a@b.co", "a.@b.co", "a@-b.co", "a@b.1", "a@@b.co"]) {
      assert.equal(await judge(email), 400, email);
    }
  });

  test("taken names are 400 on their fields, all together", async () => {
    await make("tess", "EMPLOYEE", "ada", { email: "tess@example.com", employee_id: "emp-900" });
    const taken = await post("/api/auth/users/", "ada", { username: "TESS", password: PASSWORD, email: "Tess@Example.com", employee_id: "emp-900" });
    assert.equal(taken.status, 400);
    assert.deepEqual(Object.keys(taken.json.details).sort(), ["email", "employee_id", "username"]);
    assert.equal((await post("/api/auth/users/", "ada", { username: "olga", password: PASSWORD })).status, 400, "a name is one person's in the installation");
    const elsewhere = await post("/api/auth/users/", "olga", { username: "otto", password: PASSWORD, email: "tess@example.com", employee_id: "emp-900" });
    assert.equal(elsewhere.status, 201, "addresses and employee ids are the company's");
  });

  test("oneself: profile, names, password; not role, state or employee id", async () => {
    const before = (await get("/api/auth/users/me/", "emil")).json;
    const changed = await put("/api/auth/users/me/", "emil", { first_name: "Emil", phone: "+44 1" });
    assert.equal(changed.status, 200, changed.text);
    assert.equal(changed.json.first_name, "Emil");
    assert.equal((await put(`/api/auth/users/${ids.emil}/`, "emil", { ...changed.json, last_name: "Tal" })).status, 200, "the object as it was read");
    for (const more of [{ role: "ADMIN" }, { role: "MANAGER" }, { is_active: false }, { employee_id: "emp-1" }, { department: "Sales" }]) {
      assert.equal((await put("/api/auth/users/me/", "emil", more)).status, 403, JSON.stringify(more));
    }
    const now = (await get("/api/auth/users/me/", "emil")).json;
    assert.equal(now.role, before.role);
    assert.equal(now.is_superuser, false);
  });

  test("others' rows: people's administrators may read and change them, nobody else", async () => {
    const path = `/api/auth/users/${ids.sam}/`;
    assert.equal((await get(path, "emil")).status, 403);
    assert.equal((await put(path, "emil", { username: "sam" })).status, 403);
    assert.equal((await put(path, "mona", { username: "sam" })).status, 403);
    assert.equal((await remove(path, "mona")).status, 403);
    assert.equal((await post("/api/auth/users/", "mona", { username: "x1", password: PASSWORD })).status, 403);
    assert.equal((await get(path, "mona")).status, 200);
    assert.equal((await put(path, "hanna", { username: "sam", department: "Field" })).status, 200);
    assert.equal((await put(path, "ada", {})).status, 400, "PUT wants what is required");
    assert.equal((await call("PATCH", path, "ada", { department: "Sales" })).json.department, "Sales");
  });

  test("administrators are touched by administrators only", async () => {
    const path = `/api/auth/users/${ids.ada}/`;
    for (const change of [{ password: "taken over" }, { is_active: false }, { role: "EMPLOYEE" }]) {
      assert.equal((await call("PATCH", path, "hanna", change)).status, 403, JSON.stringify(change));
    }
    assert.equal((await remove(path, "hanna")).status, 403);
    assert.equal((await call("PATCH", `/api/auth/users/${ids.emil}/`, "hanna", { role: "ADMIN" })).status, 403);
    assert.equal((await call("PATCH", `/api/auth/users/${ids.emil}/`, "hanna", { role: "HR" })).status, 403);
    assert.equal((await post("/api/auth/users/", "hanna", { username: "boss", password: PASSWORD, role: "ADMIN" })).status, 403);
    assert.equal((await put("/api/auth/users/me", "hanna", { role: "ADMIN" })).status, 403);
    assert.equal((await call("PATCH", `/api/auth/users/${ids.emil}/`, "hanna", { role: "ANALYST" })).status, 200);
    assert.equal((await call("PATCH", `/api/auth/users/${ids.emil}/`, "hanna", { role: "EMPLOYEE" })).status, 200);
  });

  test("a new role counts from the next request on", async () => {
    assert.equal((await get("/api/v1/users", "emil")).status, 403);
    await call("PATCH", `/api/auth/users/${ids.emil}/`, "ada", { role: "MANAGER" });
    assert.equal((await get("/api/v1/users", "emil")).status, 200);
    await call("PATCH", `/api/auth/users/${ids.emil}/`, "ada", { role: "EMPLOYEE" });
    assert.equal((await get("/api/v1/users", "emil")).status, 403);
  });

  test("the last administrator stays", async () => {
    const path = `/api/auth/users/${ids.olga}/`;
    for (const answer of [await remove(path, "olga"), await remove(`/api/v1/users/${ids.olga}`, "olga"),
      await call("PATCH", path, "olga", { role: "EMPLOYEE" }), await call("PATCH", path, "olga", { is_active: false })]) {
      assert.equal(answer.status, 409, answer.text);
      assert.equal(answer.json.code, "LAST_ADMIN");
    }
    await make("oona", "ADMIN", "olga");
    assert.equal((await call("PATCH", path, "olga", { role: "MANAGER" })).status, 200);
    assert.equal((await call("PATCH", path, "oona", { role: "ADMIN" })).status, 200);
  });

  test("two administrators cannot both leave at once", async () => {
    const answers = await Promise.all([remove(`/api/v1/users/${ids.olga}`, "olga"), remove(`/api/v1/users/${ids.oona}`, "oona")]);
    assert.deepEqual(answers.map((a) => a.status).sort(), [200, 409], answers.map((a) => a.text).join("\n"));
    const left = answers[0].status === 200 ? "oona" : "olga";
    const gone = left === "oona" ? "olga" : "oona";
    assert.equal((await call("PATCH", `/api/auth/users/${ids[gone]}/`, left, { is_active: true })).status, 200);
    await enter(gone);
  });

  test("ids that are none are not found", async () => {
    for (const id of ["0", "-1", "abc", "99999999999999999999999", "1.5", "%00", "..", "1'--"]) {
      assert.equal((await get(`/api/auth/users/${id}/`, "ada")).status, 404, id);
    }
  });

  test("a version that has passed is refused", async () => {
    const read = await get(`/api/auth/users/${ids.sam}/`, "ada");
    const headers = { "if-match": read.headers.get("etag") };
    const change = (json) => server.request("PATCH", `/api/auth/users/${ids.sam}/`, { auth: auth.ada, json, headers });
    assert.equal((await change({ phone: "1" })).status, 200);
    assert.equal((await change({ phone: "2" })).status, 412);
  });
});

describe("/api/v1/users", () => {
  test("listing is for ADMIN, MANAGER and HR, filtered by role, active and company", async () => {
    const list = await get("/api/v1/users?role=SUPERVISOR&active=1", "mona");
    assert.equal(list.status, 200);
    assert.equal(list.headers.get("x-total-count"), "1");
    assert.equal(list.json.data[0].username, "sam");
    assert.equal(list.json.data[0].user_id, ids.sam);
    const own = list.json.data[0].company_id;
    assert.equal((await get(`/api/v1/users?company_id=${own}&active=1`, "hanna")).status, 200);
    assert.equal((await get("/api/v1/users", "emil")).status, 403);
    assert.equal((await get("/api/v1/users?company_id=abc", "mona")).status, 400);
    assert.equal((await get("/api/v1/users?limit=0", "mona")).status, 400);
  });

  test("the document's own body creates a user; a taken name is 409", async () => {
    const roles = (await get("/api/v1/roles", "ada")).json.data;
    const role = roles.find((r) => r.name === "SALESPERSON");
    const company = (await get("/api/v1/users?limit=1", "ada")).json.data[0].company_id;
    const body = { username: "john.smith", email: "john.smith@example.com", company_id: company, role_id: role.id, password: "encrypted_password" };
    const made = await post("/api/v1/users", "ada", body);
    assert.equal(made.status, 201, made.text);
    assert.equal(made.json.data.role, "SALESPERSON");
    assert.equal(made.json.data.role_id, role.id);
    assert.equal(made.text.includes("encrypted_password"), false);
    const again = await post("/api/v1/users", "ada", body);
    assert.equal(again.status, 409);
    assert.equal(again.json.code, "USERNAME_EXISTS");
    assert.equal(typeof again.json.details.username, "string");
    assert.equal((await post("/api/v1/users", "ada", { ...body, username: "j2", email: "", role_id: String(role.id) })).status, 201, "ids may be numeric strings");
    assert.deepEqual(roles.filter((r) => r.built_in).map((r) => r.id).sort((a, b) => a - b), [1, 2, 3, 4, 5, 6, 7, 8, 9], "and mean the same in every company");
    assert.match((await post("/api/v1/users", "ada", { ...body, username: "j3", email: "", role_id: 99999 })).json.details.role_id, /^Invalid pk/);
    assert.equal((await post("/api/v1/users", "mona", { ...body, username: "j4" })).status, 403);
  });

  test("a change may be partial; deleting deactivates", async () => {
    const made = await post("/api/v1/users", "ada", { username: "dora", password: PASSWORD, first_name: "Dora" });
    const path = `/api/v1/users/${made.json.data.id}`;
    assert.equal((await put(path, "ada", { department: "Sales" })).json.data.first_name, "Dora");
    const gone = await remove(path, "ada");
    assert.equal(gone.status, 200);
    assert.equal(gone.json.data.active, false);
    assert.equal((await remove(path, "ada")).status, 200);
    assert.equal((await put(path, "ada", { active: true })).json.data.active, true);
    assert.ok(await logIn(server, "dora", PASSWORD));
    assert.equal((await remove(path, "mona")).status, 403);
  });

  test("nobody supervises themselves, not even through others", async () => {
    assert.equal((await put(`/api/v1/users/${ids.sam}`, "ada", { supervisor_id: ids.sam })).status, 400);
    assert.equal((await put(`/api/v1/users/${ids.emil}`, "ada", { supervisor_id: ids.sam })).status, 200);
    assert.equal((await put(`/api/v1/users/${ids.sam}`, "ada", { supervisor_id: ids.emil })).status, 400);
    assert.equal((await put(`/api/v1/users/${ids.emil}`, "ada", { supervisor_id: null })).json.data.supervisor_id, null);
  });
});

describe("companies", () => {
  test("a platform administrator makes them, others see their own", async () => {
    const body = { company_name: "XYZ Corp", gst_number: "18AABCU1234F1Z0", website: "https://xyzcorp.com", industry: "IT" };
    assert.equal((await post("/api/v1/companies", "olga", body)).status, 403);
    assert.equal((await post("/api/v1/companies", "mona", body)).status, 403);
    const made = await post("/api/v1/companies", "ada", body);
    assert.equal(made.status, 201, made.text);
    const { id } = made.json.data;
    assert.equal(made.json.data.company_name, "XYZ Corp");
    assert.equal(made.json.data.time_zone, "UTC");
    assert.equal((await post("/api/v1/companies", "ada", { ...body, company_name: "xyz corp" })).status, 409);
    assert.equal((await get("/api/v1/companies?sort=id:asc", "ada")).json.total, 3);
    assert.equal((await get("/api/v1/companies?search=xyz", "ada")).json.total, 1);
    const seen = (await get("/api/v1/companies", "olga")).json;
    assert.deepEqual(seen.data.map((c) => c.company_name), ["Other Ltd"]);
    assert.equal((await get(`/api/v1/companies/${id}`, "olga")).status, 404);
    assert.equal((await put(`/api/v1/companies/${id}`, "olga", { industry: "x" })).status, 404);
    assert.equal((await get("/api/v1/companies", "emil")).status, 403);

    const boss = await post("/api/v1/users", "ada", { username: "xavier", password: PASSWORD, company_id: id, role: "ADMIN" });
    assert.equal(boss.status, 201, boss.text);
    assert.equal(boss.json.data.company_id, id);
    assert.equal(boss.json.data.platform_admin, false);
    await enter("xavier");
    assert.deepEqual((await get("/api/v1/users", "xavier")).json.data.map((u) => u.username), ["xavier"]);
    assert.deepEqual((await get(`/api/v1/users?company_id=${id}`, "ada")).json.data.map((u) => u.username), ["xavier"]);
    assert.equal((await get(`/api/v1/users?company_id=${id}`, "olga")).json.total, 0);
    assert.equal((await post("/api/v1/users", "olga", { username: "spy", password: PASSWORD, company_id: id })).status, 400);
  });

  test("faults of a company", async () => {
    const bad = await post("/api/v1/companies", "ada", { time_zone: "Mars/Olympus", currency: "XXY", website: "javascript:x" });
    assert.equal(bad.status, 400);
    assert.deepEqual(Object.keys(bad.json.details).sort(), ["company_name", "currency", "time_zone", "website"]);
  });

  test("its administrator changes it, but does not close it", async () => {
    const { id } = (await get("/api/v1/companies", "olga")).json.data[0];
    assert.equal((await put(`/api/v1/companies/${id}`, "olga", { industry: "Retail" })).json.data.industry, "Retail");
    assert.equal((await put(`/api/v1/companies/${id}`, "olga", { active: false })).status, 403);
    assert.equal((await put(`/api/v1/companies/${id}`, "ada", { active: false })).status, 200);
    assert.equal((await get("/api/v1/users", "olga")).status, 401, "nobody of a closed company gets in");
    assert.equal((await put(`/api/v1/companies/${id}`, "ada", { active: true })).status, 200);
    assert.equal((await get("/api/v1/users", "olga")).status, 200);
  });

  test("another company's people, teams, roles and keys do not exist", async () => {
    const team = (await post("/api/v1/teams", "ada", { name: "Hidden" })).json.data;
    const role = (await post("/api/v1/roles", "ada", { name: "HIDDEN", permissions: ["VIEW_OWN"] })).json.data;
    const key = (await post("/api/v1/api-keys", "ada", { name: "hidden" })).json.data;
    for (const path of [`/api/auth/users/${ids.emil}/`, `/api/v1/users/${ids.emil}`, `/api/v1/teams/${team.id}`, `/api/v1/roles/${role.id}`, `/api/v1/api-keys/${key.id}`]) {
      assert.equal((await get(path, "olga")).status, 404, `GET ${path}`);
      assert.equal((await put(path, "olga", { name: "x", username: "x" })).status, 404, `PUT ${path}`);
      assert.equal((await remove(path, "olga")).status, 404, `DELETE ${path}`);
    }
    assert.equal((await put(`/api/v1/users/${ids.olga}`, "olga", { supervisor_id: ids.emil })).status, 400);
    assert.equal((await put(`/api/v1/users/${ids.olga}`, "olga", { role_id: role.id })).status, 400);
    const own = (await post("/api/v1/teams", "olga", { id: team.id, name: "Same id" })).json.data;
    assert.equal(own.id, team.id, "ids are the company's");
    assert.equal((await post(`/api/v1/teams/${own.id}/members`, "olga", { user_id: ids.emil })).status, 400);
  });
});

describe("teams, roles, keys", () => {
  test("a team takes a given id or makes one, and has members", async () => {
    const made = await post("/api/v1/teams", "hanna", { id: "sales_team_1", name: "Sales 1", lead_id: ids.sam });
    assert.equal(made.status, 201, made.text);
    assert.equal(made.json.data.id, "sales_team_1");
    assert.equal((await post("/api/v1/teams", "hanna", { id: "sales_team_1", name: "x" })).status, 409);
    assert.match((await post("/api/v1/teams", "hanna", { name: "Other" })).json.data.id, /^team-\d{3}$/);
    const path = "/api/v1/teams/sales_team_1/members";
    assert.equal((await post(path, "hanna", { user_id: ids.emil })).status, 200);
    const twice = await post(path, "hanna", { user_id: ids.emil });
    assert.deepEqual(twice.json.data.map((m) => m.username), ["emil"]);
    assert.equal((await post(path, "hanna", { user_id: 999999 })).status, 400);
    assert.equal((await post(path, "emil", { user_id: ids.sam })).status, 403);
    assert.equal((await remove(`${path}/${ids.emil}`, "hanna")).status, 200);
    assert.equal((await remove(`${path}/${ids.emil}`, "hanna")).status, 404);
    await post(path, "hanna", { user_id: ids.emil });
    assert.equal((await remove("/api/v1/teams/sales_team_1", "hanna")).status, 200);
    assert.equal((await get(path, "hanna")).status, 404);
  });

  test("a company's own role gives what it lists", async () => {
    const made = await post("/api/v1/roles", "ada", { name: "AUDITOR", permissions: ["USER_READ", "VIEW_ALL"] });
    assert.equal(made.status, 201, made.text);
    assert.deepEqual(made.json.data.permissions, ["VIEW_ALL", "USER_READ"]);
    await make("audrey", "AUDITOR");
    assert.equal((await get("/api/v1/users", "audrey")).status, 200);
    assert.equal((await put(`/api/v1/roles/${made.json.data.id}`, "ada", { permissions: ["VIEW_OWN"] })).status, 200);
    assert.equal((await get("/api/v1/users", "audrey")).status, 403, "at once");
    assert.equal((await remove(`/api/v1/roles/${made.json.data.id}`, "ada")).status, 409, "somebody has it");
    assert.equal((await put(`/api/v1/roles/${made.json.data.id}`, "ada", { name: "CHECKER" })).status, 200);
    assert.equal((await get("/api/auth/users/me", "audrey")).json.role, "CHECKER");
  });

  test("what no role may be", async () => {
    for (const body of [{ name: "ADMIN" }, { name: "admin" }, { name: "X Y" }, { name: "R1", permissions: ["FLY"] }, { name: "R2", permissions: ["PLATFORM_ADMIN"] },
      { name: "R3", permissions: "VIEW_ALL" }, { name: "R4", permissions: [1] }]) {
      assert.equal((await post("/api/v1/roles", "ada", body)).status, 400, JSON.stringify(body));
    }
    const all = await post("/api/v1/roles", "ada", { name: "ADMIN", description: "x".repeat(5000), permissions: ["FLY"] });
    for (const field of ["name", "description", "permissions"]) assert.match(all.text, new RegExp(`"${field}"`), "told at once");
    const admin = (await get("/api/v1/roles", "ada")).json.data.find((r) => r.name === "ADMIN");
    assert.equal((await put(`/api/v1/roles/${admin.id}`, "ada", { permissions: [] })).status, 409);
    assert.equal((await remove(`/api/v1/roles/${admin.id}`, "ada")).status, 409);
    assert.equal((await post("/api/v1/roles", "hanna", { name: "R5" })).status, 403);
  });

  test("a retried creation of a key does not show it again", async () => {
    const send = () => server.request("POST", "/api/v1/api-keys", { auth: auth.ada, json: { name: "once" }, headers: { "idempotency-key": "k-1" } });
    const first = await send();
    const again = await send();
    assert.equal(again.status, 201);
    assert.equal(again.text.includes(first.json.key), false);
    assert.equal((await get("/api/v1/api-keys?name=once", "ada")).json.total, 1);
  });
});

describe("first start", () => {
  test("the printed link makes the first administrator, once", async () => {
    const fresh = await newStore();
    const first = await startServer({ store: fresh });
    try {
      const link = new URL(/https?:\/\/\S+\/setup\?token=\S+/.exec(first.output)[0]);
      const page = await first.request("GET", link.pathname + link.search);
      assert.equal(page.status, 200);
      assert.match(page.headers.get("content-type"), /^text\/html/);
      assert.match(page.text, /<form method="post"/);
      assert.equal((await first.request("GET", "/setup?token=wrong")).status, 404);
      const token = link.searchParams.get("token");
      const send = (form) => first.request("POST", "/setup", { type: "application/x-www-form-urlencoded", body: new URLSearchParams(form).toString() });
      const form = { token, company: "New <Co> & \"Sons\"", time_zone: "Europe/London", currency: "GBP", username: "ada", password: "correct horse" };
      assert.equal((await send({ ...form, token: "wrong" })).status, 404);
      const bad = await send({ ...form, password: "short" });
      assert.equal(bad.status, 400);
      assert.match(bad.text, /at least 8 characters/);
      assert.equal(bad.text.includes("<Co>"), false, "escaped");
      assert.equal((await send(form)).status, 201);
      assert.equal((await send({ ...form, username: "eve" })).status, 404);
      assert.equal((await first.request("GET", link.pathname + link.search)).status, 404);
      const admin = await logIn(first, "ada", "correct horse");
      const companies = await first.request("GET", "/api/v1/companies", { auth: admin });
      assert.equal(companies.json.data[0].company_name, form.company);
      assert.equal(companies.json.data[0].currency, "GBP");
    } finally {
      await first.stop();
    }
    const second = await startServer({ store: fresh });
    assert.equal(second.output.includes("/setup"), false, "never again");
    await second.stop();
    await fresh.remove();
  });

  test("a command line that is wrong says so and ends with 2; an account that cannot be with 1", async () => {
    for (const args of [["serve", "--bogus"], ["bogus"], ["user", "add"], ["serve", "--threads", "x"], ["user", "add", "--listen", "x"], ["backup"]]) {
      const done = await command(args);
      assert.equal(done.code, 2, args.join(" "));
      assert.match(done.stderr, /^sextant: /);
    }
    const weak = await command(["user", "add", ...store.args, "--company", "Acme Ltd", "--username", "weak", "--password-stdin"], { input: "short\n" });
    assert.equal(weak.code, 1);
    assert.match(weak.stderr, /password: Ensure this field has at least 8 characters/);
    const version = await command(["version"], { env: { SEXTANT_THREADS: "x" } });
    assert.equal(version.code, 0, "an option a command has no use for is not looked at");
  });

  test("the demo's five logins work, and it can be removed", async () => {
    const fresh = await newStore();
    const demo = await startServer({ store: fresh, args: ["--demo"] });
    try {
      for (const name of ["admin", "manager", "supervisor", "hr", "employee"]) {
        const user = (await demo.request("POST", "/api/auth/token", { json: { username: name, password: `${name}123` } })).json.user;
        if (name === "employee") assert.equal(user.employee_id, "emp-001");
        if (name === "supervisor") assert.equal(user.employee_id, "sup-001");
      }
      const members = await demo.request("GET", "/api/v1/teams/sales_team_1/members", { auth: await logIn(demo, "manager", "manager123") });
      assert.ok(members.json.data.length > 0);
    } finally {
      await demo.stop();
    }
    const removed = await command(["demo", "remove", ...fresh.args]);
    assert.equal(removed.code, 0, removed.stderr);
    assert.equal((await command(["demo", "remove", ...fresh.args])).code, 1);
    const empty = await startServer({ store: fresh });
    assert.match(empty.output, /\/setup\?token=/);
    await empty.stop();
    await fresh.remove();
  });
});
