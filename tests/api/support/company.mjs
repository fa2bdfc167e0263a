// A company to test in: a fresh server with an administrator, and more people with given roles.
import { basic, command, newStore, startServer } from "./server.mjs";

export const PASSWORD = "correct-horse-7";

// One server with the companies named; admins[i] is the Authorization of the i-th company's administrator.
export async function startCompanies(names, options = {}) {
  const store = await newStore();
  for (const [i, name] of names.entries()) {
    const added = await command(["user", "add", ...store.args, "--username", `admin${i}`, "--role", "ADMIN", "--company", name, "--password-stdin"],
      { input: `${PASSWORD}\n` });
    if (added.code !== 0) throw new Error(`user add: ${added.stderr}`);
  }
  const server = await startServer({ store, ...options });
  server.admins = names.map((_, i) => basic(`admin${i}`, PASSWORD));
  const stop = server.stop;
  server.stop = async () => { await stop(); await store.remove(); };
  // A person of the first company; answers the Authorization.
  server.person = async (username, role, more = {}) => {
    const answer = await server.request("POST", "/api/auth/users/", {
      auth: server.admins[0],
      json: { username, email: `${username}@example.com`, password: PASSWORD, role, ...more },
    });
    if (answer.status !== 201) throw new Error(`user ${username}: ${answer.status} ${answer.text}`);
    return { auth: basic(username, PASSWORD), ...answer.json };
  };
  return server;
}
