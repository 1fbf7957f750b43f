// bee-queue as a contender of tools/bench: the same calls and answers as ../queue_load.cpp. It has no priorities.
//
//   node bee.mjs FD REDIS_URL
//
// {"work": "add" | "add_bulk" | "process", "jobs": n, "concurrency": c} → {"seconds", "cpu_seconds"}
// {"work": "latency", "jobs": n} → {"us": [n numbers]}
import net from 'node:net';
import readline from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import BeeQueue from 'bee-queue';

const [fd, url] = process.argv.slice(2);
const { hostname, port } = new URL(url);
// What a producer and a worker need and no more: no jobs kept in memory, no events sent or heard.
const settings = { redis: { host: hostname, port: Number(port) }, getEvents: false, sendEvents: false, storeJobs: false };
const queue = new BeeQueue('bench', { ...settings, isWorker: false });

// What POST /scraping/start stores.
const data = () => ({ source: 'demo.shop', filters: { category: 'shoes', price_max: 100 }, request_id: '01JD3Z9Q6W8M2T5K7R4B1N0C3V' });
const job = () => queue.createJob(data()).retries(2).backoff('exponential', 2000);

async function measured(work) {
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  await work();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const used = process.cpuUsage(cpu);
  return { seconds, cpu_seconds: (used.user + used.system) / 1e6 };
}

const works = {
  add: ({ jobs, concurrency }) => measured(async () => {
    let left = jobs;
    await Promise.all(Array.from({ length: concurrency }, async () => {
      while (left-- > 0) await job().save();
    }));
  }),
  // One call after the other, each of `concurrency` jobs.
  add_bulk: ({ jobs, concurrency }) => measured(async () => {
    for (let done = 0; done < jobs; done += concurrency) {
      const refused = await queue.saveAll(Array.from({ length: Math.min(concurrency, jobs - done) }, job));
      for (const error of refused.values()) throw error;
    }
  }),
  process: async ({ jobs, concurrency }) => {
    const worker = new BeeQueue('bench', settings);
    await worker.ready();
    const result = await measured(() => new Promise((resolve, reject) => {
      let done = 0;
      worker.on('succeeded', () => { if (++done === jobs) resolve(); });
      worker.on('failed', (_, error) => reject(error));
      worker.on('error', reject);
      worker.process(concurrency, async () => null);
    }));
    await worker.close();
    return result;
  },
  // From the call of save to the start of the job, the worker idle before.
  latency: async ({ jobs }) => {
    let started, wake;
    const worker = new BeeQueue('bench', settings);
    worker.on('succeeded', () => wake());
    await worker.ready();
    worker.process(1, async () => { started = performance.now(); return null; });
    const us = [];
    for (let i = -1; i < jobs; ++i) { // the first one shows that the worker is there
      const done = new Promise((resolve) => { wake = resolve; });
      const called = performance.now();
      await job().save();
      await done;
      if (i >= 0) us.push((started - called) * 1000);
      await setTimeout(10); // until the worker blocks again
    }
    await worker.close();
    return { us };
  },
};

await queue.ready();
const socket = new net.Socket({ fd: Number(fd), readable: true, writable: true });
for await (const line of readline.createInterface({ input: socket })) {
  const order = JSON.parse(line);
  const answer = await works[order.work](order).catch((error) => ({ error: String(error.stack) }));
  socket.write(JSON.stringify(answer) + '\n');
}
process.exit(0);
