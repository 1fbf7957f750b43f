// bull-board on one queue, as its users run it: an HTTP server of its own. Reads one JSON line {method, path, body} a request
// from an inherited socket, sends it over HTTP and answers {status, body}.
//
//   node board.mjs FD REDIS_URL QUEUE
import net from 'node:net';
import readline from 'node:readline';
import express from 'express';
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { Queue } from 'bullmq';

const [fd, url, name] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const queue = new Queue(name, { connection: { host: hostname, port: Number(port), maxRetriesPerRequest: null } });

const adapter = new ExpressAdapter();
createBullBoard({ queues: [new BullMQAdapter(queue)], serverAdapter: adapter });
const app = express();
app.use(adapter.getRouter());
const server = app.listen(0, '127.0.0.1');
await new Promise((resolve) => { server.once('listening', resolve); });
const base = `http://127.0.0.1:${server.address().port}`;

const socket = new net.Socket({ fd: Number(fd), readable: true, writable: true });
for await (const line of readline.createInterface({ input: socket })) {
  const { method, path, body } = JSON.parse(line);
  let reply;
  try {
    const response = await fetch(base + path, {
      method, headers: { 'content-type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    let parsed = text;
    try { parsed = text ? JSON.parse(text) : null; } catch { /* a page */ }
    reply = { status: response.status, body: parsed };
  } catch (error) {
    reply = { status: 0, body: String(error.message) };
  }
  socket.write(JSON.stringify(reply) + '\n');
}
process.exit(0);
