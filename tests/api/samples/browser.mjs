// What the retrospectives document's pages take for granted, so that its lines can run here word for word: the functions that show things
// (each prints its name and what it was given, a line of JSON), and the browser's WebSocket. The document connects without saying where
// the token goes; a page of it has to send one, and this WebSocket does what that page would add: the token as first message. It also
// puts this test's server and id in the place of the document's localhost:8000 and 456.
//
// Called with the server's address, a token and a retrospective's id.
import WsWebSocket from "ws";

const [SERVER, TOKEN, ID] = process.argv.slice(2);
const said = (name) => (value) => process.stdout.write(`${JSON.stringify([name, value])}\n`);

globalThis.WebSocket = class extends WsWebSocket {
  constructor(address) {
    super(address.replace("ws://localhost:8000", SERVER.replace(/^http/, "ws")).replace(/456$/, ID));
    this.addEventListener("open", () => { this.send(JSON.stringify({ token: TOKEN })); this.send("{\"type\":\"ping\"}"); });
    this.addEventListener("message", (event) => { if (JSON.parse(event.data).event_type === "pong") said("connected")(this.url); });
    this.addEventListener("close", (event) => { said("closed")(event.code); });
  }
};
for (const name of ["updateKPIDisplay", "addInsightToUI", "showApprovalNotification", "updateKPICards", "addInsightCard", "showApprovalBanner"]) {
  globalThis[name] = said(name);
}
console.log = () => {};
