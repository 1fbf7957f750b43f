// Node's BullMQ as a contender of tools/bench: the same calls and answers as ../queue_load.cpp.
//
//   node queue.mjs FD REDIS_URL
//
// {"work": "add" | "add_bulk" | "process", "jobs": n, "concurrency": c, "prioritized": false} → {"seconds", "cpu_seconds"}
// {"work": "latency", "jobs": n} → {"us": [n numbers]}
import { Queue, Worker } from 'bullmq';
import { addMeasured, jobData, latencies, measured, serve } from './queue_contender.mjs';

const [fd, url] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
const queue = new Queue('bench', { connection });

let turn = 0;
const opts = (prioritized) => ({ attempts: 3, backoff: { type: 'exponential', delay: 2000 }, ...(prioritized && { priority: 1 + turn++ % 10 }) });

const works = {
  add: (order) => addMeasured(order, () => queue.add('scrape_products', jobData(), opts(order.prioritized))),
  // One call after the other, each of `concurrency` jobs.
  add_bulk: ({ jobs, concurrency, prioritized }) => measured(async () => {
    for (let done = 0; done < jobs; done += concurrency)
      await queue.addBulk(Array.from({ length: Math.min(concurrency, jobs - done) }, () => ({ name: 'scrape_products', data: jobData(), opts: opts(prioritized) })));
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
  latency: async ({ jobs }) => {
    const stage = {};
    const worker = new Worker('bench', async () => { stage.started = performance.now(); return null; }, { connection });
    worker.on('completed', () => stage.wake());
    await worker.waitUntilReady();
    const result = await latencies(jobs, stage, () => queue.add('scrape_products', jobData(), opts()));
    await worker.close();
    return result;
  },
};

await queue.waitUntilReady();
await serve(fd, works);
