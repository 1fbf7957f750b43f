// What the Node contenders of the queue bench share: the job's data, the measuring, and the orders that come over the socket
// FD of the command line (../queue_load.cpp gives them).
import net from 'node:net';
import readline from 'node:readline';
import { setTimeout } from 'node:timers/promises';

// What POST /scraping/start stores.
export const jobData = () => ({ source: 'demo.shop', filters: { category: 'shoes', price_max: 100 }, request_id: '01JD3Z9Q6W8M2T5K7R4B1N0C3V' });

export async function measured(work) {
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  await work();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const used = process.cpuUsage(cpu);
  return { seconds, cpu_seconds: (used.user + used.system) / 1e6 };
}

// `concurrency` calls of `add` at a time, `jobs` in all.
export const addMeasured = ({ jobs, concurrency }, add) => measured(async () => {
  let left = jobs;
  await Promise.all(Array.from({ length: concurrency }, async () => {
    while (left-- > 0) await add();
  }));
});

// Microseconds from the call of `add` to the start of the job, the worker idle before. `stage` has `started`, which the
// processor sets, and `wake`, which is to be called when the job is done.
export async function latencies(jobs, stage, add) {
  const us = [];
  for (let i = -1; i < jobs; ++i) { // the first one shows that the worker is there
    const done = new Promise((resolve) => { stage.wake = resolve; });
    const called = performance.now();
    await add();
    await done;
    if (i >= 0) us.push((stage.started - called) * 1000);
    await setTimeout(10); // until the worker blocks again
  }
  return { us };
}

// Answers orders until the socket ends, and leaves.
export async function serve(fd, works) {
  const socket = new net.Socket({ fd: Number(fd), readable: true, writable: true });
  for await (const line of readline.createInterface({ input: socket })) {
    const order = JSON.parse(line);
    const answer = await works[order.work](order).catch((error) => ({ error: String(error.stack) }));
    socket.write(JSON.stringify(answer) + '\n');
  }
  process.exit(0);
}
