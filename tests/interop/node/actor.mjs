// Node's BullMQ as an actor of the interop tests: reads one JSON call a line from an inherited socket, answers with one
// line each. The C++ actor (../actor) speaks the same calls, so a test can put either in either place.
//
//   node actor.mjs 6|5 FD REDIS_URL
//
// A job's data says what its processor does; see processor() below and ../README.md.
import { createRequire } from 'node:module';
import net from 'node:net';
import readline from 'node:readline';

const [version, fd, url] = process.argv.slice(2);
const { Queue, Worker, QueueEvents, QueueEventsProducer, FlowProducer, UnrecoverableError } =
  await import(version === '5' ? 'bullmq-v5' : 'bullmq');
const { CronExpressionParser } = createRequire(import.meta.resolve('bullmq'))('cron-parser');

const { hostname, port, pathname } = new URL(url);
const connection = { host: hostname, port: Number(port), db: Number(pathname.slice(1) || 0), maxRetriesPerRequest: null };

const queues = new Map();
const events = new Map();
const workers = new Map();
let gate = openGate();

function openGate() {
  let release;
  const opened = new Promise((resolve) => { release = resolve; });
  return { opened, release };
}

function queue(name) {
  if (!queues.has(name)) queues.set(name, new Queue(name, { connection }));
  return queues.get(name);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// What a job does, as its data says: {progress: [..], logs: [..], work_ms, hold, fail_times, reason, unrecoverable, result}
async function processor(job, ran) {
  ran.push({ id: job.id, attempt: job.attemptsMade });
  const d = job.data;
  for (const value of d.progress ?? []) await job.updateProgress(value);
  for (const row of d.logs ?? []) await job.log(row);
  if (d.work_ms) await pause(d.work_ms);
  if (d.hold) await gate.opened;
  if (d.unrecoverable) throw new UnrecoverableError(d.reason);
  if (job.attemptsMade < (d.fail_times ?? 0)) throw new Error(d.reason);
  return d.result;
}

async function describe(job) {
  return {
    id: job.id, name: job.name, data: job.data, timestamp: job.timestamp, delay: job.delay, priority: job.priority,
    attempts: job.opts.attempts ?? 0, attempts_made: job.attemptsMade, attempts_started: job.attemptsStarted,
    stalled_counter: job.stalledCounter, processed_by: job.processedBy ?? '', progress: job.progress,
    result: job.returnvalue ?? null, reason: job.failedReason ?? '', stacks: job.stacktrace?.length ?? 0,
    finished: job.finishedOn !== undefined, state: await job.getState(),
  };
}

async function existing(call) {
  const job = await queue(call.queue).getJob(call.id);
  if (!job) throw new Error(`no job ${call.id}`);
  return job;
}

const calls = {
  open: async (c) => { await queue(c.queue).waitUntilReady(); },
  add: async (c) => (await queue(c.queue).add(c.name, c.data, c.opts)).id,
  add_bulk: async (c) => (await queue(c.queue).addBulk(c.jobs)).map((job) => job.id),
  add_flow: async (c) => {
    const flows = new FlowProducer({ connection });
    const tree = await flows.add(c.flow);
    await flows.close();
    const ids = (node) => ({ id: node.job.id, children: (node.children ?? []).map(ids) });
    return ids(tree);
  },
  flow: async (c) => {
    const flows = new FlowProducer({ connection });
    const tree = await flows.getFlow({ queueName: c.queue, id: c.id });
    const shown = async (node) => ({
      id: node.job.id, state: await node.job.getState(), children: await Promise.all((node.children ?? []).map(shown)),
    });
    const seen = await shown(tree);
    await flows.close();
    return seen;
  },
  publish_event: async (c) => {
    const producer = new QueueEventsProducer(c.queue, { connection });
    await producer.publishEvent({ eventName: c.name, ...c.fields });
    await producer.close();
  },

  upsert_scheduler: async (c) => (await queue(c.queue).upsertJobScheduler(c.id, c.repeat, c.template))?.id,
  remove_scheduler: async (c) => queue(c.queue).removeJobScheduler(c.id),
  schedulers: async (c) => (await queue(c.queue).getJobSchedulers(0, -1, true)),
  // What BullMQ's own cron-parser makes of patterns: the time after `from`, null for none, or the refusal.
  cron: async (c) => c.cases.map(({ pattern, tz, from }) => {
    let expression;
    try {
      expression = CronExpressionParser.parse(pattern, { tz, currentDate: new Date(from) });
    } catch (error) {
      return `refused: ${error.message}`;
    }
    try {
      return expression.next().getTime();
    } catch {
      return null;
    }
  }),

  children_values: async (c) => (await existing(c)).getChildrenValues(),

  start_worker: async (c) => {
    const ran = [];
    const worker = new Worker(c.queue, (job) => processor(job, ran), { connection, name: c.name, ...c.options });
    worker.on('error', () => {}); // a killed Redis is the test's doing; what matters shows in the jobs
    await worker.waitUntilReady();
    workers.set(c.name, { worker, ran });
  },
  stop_worker: async (c) => { await workers.get(c.name).worker.close(); },
  ran: async (c) => workers.get(c.name).ran,
  release: async () => { gate.release(); gate = openGate(); },

  job: async (c) => describe(await existing(c)),
  counts: async (c) => {
    const states = ['waiting', 'active', 'completed', 'failed', 'delayed', 'prioritized', 'waiting-children'];
    const n = await queue(c.queue).getJobCounts(...states); // v5 adds `paused` unasked
    return Object.fromEntries(states.map((state) => [state, n[state]]));
  },
  ids: async (c) => (await queue(c.queue).getRanges([c.state], 0, -1, true)),
  logs: async (c) => queue(c.queue).getJobLogs(c.id),
  workers: async (c) => (await queue(c.queue).getWorkers()).map((w) => w.rawname ?? w.name),
  pause: async (c) => queue(c.queue).pause(),
  resume: async (c) => queue(c.queue).resume(),
  is_paused: async (c) => queue(c.queue).isPaused(),
  promote: async (c) => (await existing(c)).promote(),
  remove: async (c) => { await (await existing(c)).remove(); },
  retry: async (c) => (await existing(c)).retry(c.from),

  watch_events: async (c) => {
    const seen = [];
    const source = new QueueEvents(c.queue, { connection, lastEventId: '0' });
    const emit = source.emit.bind(source);
    source.emit = (name, ...args) => {
      // A queue's event has an object, or just its stream id where it has no fields ("drained", "paused", "resumed").
      if (typeof args.at(-1) === 'string' && /^\d+-\d+$/.test(args.at(-1)) && !String(name).includes(':'))
        seen.push({ event: name, ...(typeof args[0] === 'object' ? args[0] : {}) });
      return emit(name, ...args);
    };
    source.on('error', () => {});
    await source.waitUntilReady();
    events.set(c.queue, { source, seen });
  },
  events: async (c) => events.get(c.queue).seen,
  wait_until_finished: async (c) => (await existing(c)).waitUntilFinished(events.get(c.queue).source, c.limit_ms),
};

const socket = new net.Socket({ fd: Number(fd), readable: true, writable: true });
for await (const line of readline.createInterface({ input: socket })) {
  const call = JSON.parse(line);
  // Calls run side by side, so that one may wait for what another causes.
  Promise.resolve()
    .then(() => calls[call.call](call))
    .then((value) => socket.write(JSON.stringify({ seq: call.seq, value: value ?? null }) + '\n'))
    .catch((error) => socket.write(JSON.stringify({ seq: call.seq, error: String(error.message) }) + '\n'));
}
process.exit(0);
