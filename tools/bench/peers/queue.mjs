// Node's BullMQ as a contender of tools/bench: the same calls and answers as ../queue_load.cpp.
//
//   node queue.mjs FD REDIS_URL
//
// {"work": "add" | "add_bulk" | "process", "jobs": n, "concurrency": c, "prioritized": false} → {"seconds", "cpu_seconds"}
// {"work": "latency", "jobs": n} → {"us": [n numbers]}
import net from 'node:net';
import readline from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';

const [fd, url] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
const queue = new Queue('bench', { connection });

// What POST /scraping/start stores.
const data = () => ({ source: 'demo.shop', filters: { category: 'shoes', price_max: 100 }, request_id: '01JD3Z9Q6W8M2T5K7R4B1N0C3V' });
let turn = 0;
const opts = (prioritized) => ({ attempts: 3, backoff: { type: 'exponential', delay: 2000 }, ...(prioritized && { priority: 1 + turn++ % 10 }) });

async function measured(work) {
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  await work();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const used = process.cpuUsage(cpu);
  return { seconds, cpu_seconds: (used.user + used.system) / 1e6 };
}

const works = {
  add: ({ jobs, concurrency, prioritized }) => measured(async () => {
    let left = jobs;
    await Promise.all(Array.from({ length: concurrency }, async () => {
      while (left-- > 0) await queue.add('scrape_products', data(), opts(prioritized));
    }));
  }),
  // One call after the other, each of `concurrency` jobs.
  add_bulk: ({ jobs, concurrency, prioritized }) => measured(async () => {
    for (let done = 0; done < jobs; done += concurrency)
      await queue.addBulk(Array.from({ length: Math.min(concurrency, jobs - done) }, () => ({ name: 'scrape_products', data: data(), opts: opts(prioritized) })));
  }),
  process: async ({ jobs, concurrency }) => {
    const worker = new Worker('bench', async () => null, { connection, concurrency, autorun: false });
    await worker.waitUntilReady();
    const result = await measured(() => new Promise((resolve, reject) => {
      let done = 0;
      worker.on('completed', () => { if (++done === jobs) resolve(); });
      worker.on('failed', (_, error) => reject(error));
      worker.on('error', reject);
      worker.run();
    }));
    await worker.close();
    return result;
  },
  // From the call of add to the start of the job, the worker idle before.
  latency: async ({ jobs }) => {
    let started, wake;
    const worker = new Worker('bench', async () => { started = performance.now(); return null; }, { connection });
    worker.on('completed', () => wake());
    await worker.waitUntilReady();
    const us = [];
    for (let i = -1; i < jobs; ++i) { // the first one shows that the worker is there
      const done = new Promise((resolve) => { wake = resolve; });
      const called = performance.now();
      await queue.add('scrape_products', data(), opts());
      await done;
      if (i >= 0) us.push((started - called) * 1000);
      await setTimeout(10); // until the worker blocks again
    }
    await worker.close();
    return { us };
  },
};

await queue.waitUntilReady();
const socket = new net.Socket({ fd: Number(fd), readable: true, writable: true });
for await (const line of readline.createInterface({ input: socket })) {
  const order = JSON.parse(line);
  const answer = await works[order.work](order).catch((error) => ({ error: String(error.stack) }));
  socket.write(JSON.stringify(answer) + '\n');
}
process.exit(0);
