// The same fan-out with the npm package ws: one shared frame sent to every client, as its documentation's broadcast does.
// Orders as for server.c: POST /publish?COUNT,RATE. Prints its address and ends with its standard input.
import http from 'node:http';
import { WebSocketServer } from 'ws';

const server = http.createServer((request, response) => {
  const [count, rate] = request.url.split('?')[1].split(',').map(Number);
  response.writeHead(204).end();
  publishSeries(count, rate);
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false, skipUTF8Validation: true });

function publish() {
  const head = `{"t":${process.hrtime.bigint()},"pad":"`;
  const event = Buffer.from(`${head.padEnd(498, 'x')}"}`);
  for (const socket of sockets.clients) socket.send(event, { binary: false });
}

function publishSeries(count, rate) {
  if (!rate) {
    for (let i = 0; i < count; i++) publish();
    return;
  }
  const begun = process.hrtime.bigint();
  let sent = 0;
  const tick = setInterval(() => {
    const due = Math.min(count, Number((process.hrtime.bigint() - begun) * BigInt(rate) / 1000000000n) + 1);
    while (sent < due) {
      publish();
      sent++;
    }
    if (sent >= count) clearInterval(tick);
  }, 1);
}

server.listen(0, '127.0.0.1', 4096, () => console.log(`127.0.0.1:${server.address().port}`));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
