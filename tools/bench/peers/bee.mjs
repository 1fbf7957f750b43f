// bee-queue as a contender of tools/bench: the same calls and answers as ../queue_load.cpp. It has no priorities.
//
//   node bee.mjs FD REDIS_URL
//
// {"work": "add" | "add_bulk" | "process", "jobs": n, "concurrency": c} → {"seconds", "cpu_seconds"}
// {"work": "latency", "jobs": n} → {"us": [n numbers]}
import BeeQueue from 'bee-queue';
import { addMeasured, jobData, latencies, measured, serve } from './queue_contender.mjs';

const [fd, url] = process.argv.slice(2);
const { hostname, port } = new URL(url);
// What a producer and a worker need and no more: no jobs kept in memory, no events sent or heard.
const settings = { redis: { host: hostname, port: Number(port) }, getEvents: false, sendEvents: false, storeJobs: false };
const queue = new BeeQueue('bench', { ...settings, isWorker: false });

const job = () => queue.createJob(jobData()).retries(2).backoff('exponential', 2000);

const works = {
  add: (order) => addMeasured(order, () => job().save()),
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
  latency: async ({ jobs }) => {
    const stage = {};
    const worker = new BeeQueue('bench', settings);
    worker.on('succeeded', () => stage.wake());
    await worker.ready();
    worker.process(1, async () => { stage.started = performance.now(); return null; });
    const result = await latencies(jobs, stage, () => job().save());
    await worker.close();
    return result;
  },
};

await queue.ready();
await serve(fd, works);
