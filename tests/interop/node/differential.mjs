// Node's BullMQ as one side of the differential suite (../differential/README.md): carries out steps that come as one JSON
// line each. Time, randomness and lock tokens are the suite's; nothing runs by itself.
//
//   node differential.mjs 6|5 FD REDIS_URL PREFIX
import net from 'node:net';
import readline from 'node:readline';
import Redis from 'ioredis';

let now = 0;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...args) { super(...(args.length ? args : [now])); }
  static now() { return now; }
};
Math.random = () => 0.5;
Error.prepareStackTrace = (error) => error.message; // a stack has paths of Node's; both sides keep the text alone

const [version, fd, url, prefix] = process.argv.slice(2);
const bullmq = await import(version === '5' ? 'bullmq-v5' : 'bullmq');
const { Queue, Worker, FlowProducer, QueueEvents, QueueEventsProducer } = bullmq;
const connection = new Redis(url, { maxRetriesPerRequest: null });
const common = { connection, prefix };

let queues = new Map();
let workers = new Map();
let held = new Map(); // "worker/token/id" -> the job as it was fetched
let live = new Map(); // "queue/worker" -> {worker, held: job id -> how its promise ends}
let listeners = new Map(); // queue -> QueueEvents
let waits = new Map(); // job id -> promise of what a wait told
const flows = new FlowProducer(common);

async function queue(name = 'q', options = {}) {
  if (!queues.has(name)) {
    const q = new Queue(name, { ...common, ...options });
    queues.set(name, q);
    await q.waitUntilReady();
    while (!(await connection.hexists(`${prefix}:${name}:meta`, 'version'))); // written in the background
  }
  return queues.get(name);
}

// {type: ms}, or {type: "by_data"}: the job's own data.pause times the attempts, or {type: "by_error"}: what the error says.
const backoff_strategy = (types) => (attempts, type, error, job) => {
  if (types[type] === 'by_data') return job.data.pause * attempts;
  if (types[type] === 'by_error') return Number(error.message);
  return types[type] ?? -1;
};

const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function patiently(what, done) {
  for (let i = 0; i < 2000; i++) {
    const value = await done();
    if (value) return value;
    await delay(5);
  }
  throw new Error(`did not happen: ${what}`);
}

// A worker that runs by itself. Its jobs end when they are told to, or by being cancelled.
function run_worker(call) {
  const held = new Map();
  const process = (job, _token, signal) => new Promise((resolve, reject) => {
    held.set(job.id, { resolve, reject });
    signal?.addEventListener('abort', () => reject(new Error(String(signal.reason))));
  });
  const name = call.worker ?? 'w';
  const w = new Worker(call.queue ?? 'q', process, { ...common, skipStalledCheck: true, name: name || undefined, ...call.options });
  w.on('error', (error) => { w.lastError = error; });
  live.set(live_key(call), { worker: w, held });
}
const live_key = (call) => `${call.queue ?? 'q'}/${call.worker ?? 'w'}`;
const running = (call) => live.get(live_key(call)).worker;

async function clients(call, ask) {
  const q = await queue(call.queue);
  const found = await patiently(`${call.count} connections`, async () => {
    const list = await ask(q);
    return list.length === call.count && list;
  });
  return found.map((c) => c.rawname).sort();
}

function worker(call) {
  const key = `${call.queue ?? 'q'}/${call.worker ?? 'w'}`;
  if (!workers.has(key)) {
    const { backoffs, ...options } = call.options ?? {};
    if (backoffs) options.settings = { backoffStrategy: backoff_strategy(backoffs) };
    const w = new Worker(call.queue ?? 'q', null, { ...common, autorun: false, name: call.worker ?? 'w', ...options });
    w.on('error', (error) => { w.lastError = error; });
    workers.set(key, w);
  }
  return workers.get(key);
}

async function job(call) {
  const found = await (await queue(call.queue)).getJob(call.id);
  if (!found) throw Object.assign(new Error(`no job ${call.id}`), { code: -1 });
  return found;
}

const handle = (call, id) => `${call.queue ?? 'q'}/${call.token ?? 'T'}/${id}`;

function describe(found) {
  return {
    id: found.id, name: found.name, data: found.data, priority: found.priority || 0, delay: found.delay || 0,
    timestamp: found.timestamp,
    atm: found.attemptsMade, ats: found.attemptsStarted, stc: found.stalledCounter, defa: found.deferredFailure ?? '',
    progress: found.progress ?? 0, parentKey: found.parentKey ?? '', rjk: found.repeatJobKey ?? '',
    deid: found.deduplicationId ?? '',
  };
}

function hold(call, found) {
  if (!found) return null;
  held.set(handle(call, found.id), found);
  return describe(found);
}

const failure = ({ error, unrecoverable }) => (unrecoverable ? new bullmq.UnrecoverableError(error) : new Error(error));

// What the processor of a fetched job does: the members of a step `finish`.
async function behave(call, found) {
  if (call.delay_until !== undefined) {
    await found.moveToDelayed(call.delay_until, call.token ?? 'T');
    throw new bullmq.DelayedError();
  }
  if (call.to_wait) {
    await found.moveToWait(call.token ?? 'T');
    throw new bullmq.WaitingError();
  }
  if (call.to_waiting_children) {
    if (await found.moveToWaitingChildren(call.token ?? 'T')) throw new bullmq.WaitingChildrenError();
    return call.result;
  }
  if (call.rate_limit !== undefined) {
    await worker(call).rateLimit(call.rate_limit);
    throw Worker.RateLimitError ? Worker.RateLimitError() : new bullmq.RateLimitError();
  }
  if (call.error !== undefined) throw failure(call);
  return call.result;
}

const sorted = (object) => Object.fromEntries(Object.entries(object ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));

const steps = {
  reset: async () => {
    for (const w of workers.values()) await w.close(true);
    for (const { worker: w } of live.values()) await w.close(true);
    for (const l of listeners.values()) await l.close();
    live = new Map();
    listeners = new Map();
    waits = new Map();
    queues = new Map(); // they share one connection, nothing to close
    workers = new Map();
    held = new Map();
  },
  clock: async (c) => { now = c.at; },

  open: async (c) => { await queue(c.queue, c.options); },
  add: async (c) => (await (await queue(c.queue)).add(c.name ?? 'job', c.data, c.opts)).id,
  add_bulk: async (c) => (await (await queue(c.queue)).addBulk(c.jobs)).map((j) => j.id),
  pause: async (c) => (await queue(c.queue)).pause(),
  resume: async (c) => (await queue(c.queue)).resume(),
  is_paused: async (c) => (await queue(c.queue)).isPaused(),
  is_maxed: async (c) => (await queue(c.queue)).isMaxed(),
  drain: async (c) => (await queue(c.queue)).drain(c.delayed ?? false),
  clean: async (c) => (await queue(c.queue)).clean(c.grace, c.limit ?? 0, c.state),
  obliterate: async (c) => (await queue(c.queue)).obliterate({ force: c.force ?? false }),
  retry_jobs: async (c) => (await queue(c.queue)).retryJobs({ state: c.state, count: c.count, timestamp: c.timestamp }),
  promote_jobs: async (c) => (await queue(c.queue)).promoteJobs(),
  remove_orphans: async (c) => (await queue(c.queue)).removeOrphanedJobs(),
  trim_events: async (c) => { await (await queue(c.queue)).trimEvents(c.length); },
  set_concurrency: async (c) => { await (await queue(c.queue)).setGlobalConcurrency(c.concurrency); },
  remove_concurrency: async (c) => { await (await queue(c.queue)).removeGlobalConcurrency(); },
  concurrency: async (c) => (await queue(c.queue)).getGlobalConcurrency(),
  set_rate_limit: async (c) => { await (await queue(c.queue)).setGlobalRateLimit(c.max, c.duration); },
  remove_rate_limit: async (c) => { await (await queue(c.queue)).removeGlobalRateLimit(); },
  rate_limit: async (c) => { await (await queue(c.queue)).rateLimit(c.ms); },
  rate_limit_ttl: async (c) => Math.sign(await (await queue(c.queue)).getRateLimitTtl(c.max)),
  remove_rate_limit_key: async (c) => { await (await queue(c.queue)).removeRateLimitKey(); },
  deduplication_owner: async (c) => (await queue(c.queue)).getDeduplicationJobId(c.id),
  remove_deduplication_key: async (c) => { await (await queue(c.queue)).removeDeduplicationKey(c.id); },
  publish_event: async (c) => {
    const producer = new QueueEventsProducer(c.queue ?? 'q', common);
    await producer.publishEvent({ eventName: c.event, ...c.fields });
  },

  counts: async (c) => {
    const { paused, ...n } = await (await queue(c.queue)).getJobCounts('waiting', 'active', 'completed', 'failed', 'delayed',
      'prioritized', 'waiting-children');
    return { ...n, waiting: n.waiting + (paused ?? 0) }; // version 5 counts them apart, unasked
  },
  counts_per_priority: async (c) => (await queue(c.queue)).getCountsPerPriority(c.priorities),
  count: async (c) => (await queue(c.queue)).count(),
  jobs: async (c) => (await (await queue(c.queue)).getJobs(c.states, c.start ?? 0, c.end ?? -1, c.ascending ?? false))
    .map((j) => j.id),
  logs: async (c) => (await queue(c.queue)).getJobLogs(c.id, c.start, c.end),
  prometheus: async (c) => (await queue(c.queue)).exportPrometheusMetrics(c.labels),
  metrics: async (c) => (await queue(c.queue)).getMetrics(c.state),
  state: async (c) => (await queue(c.queue)).getJobState(c.id),
  job: async (c) => describe(await job(c)),

  remove: async (c) => (await queue(c.queue)).remove(c.id, { removeChildren: c.children ?? true }),
  promote: async (c) => (await job(c)).promote(),
  change_delay: async (c) => (await job(c)).changeDelay(c.delay),
  change_priority: async (c) => (await job(c)).changePriority({ priority: c.priority, lifo: c.lifo }),
  progress: async (c) => (await queue(c.queue)).updateJobProgress(c.id, c.value),
  update_data: async (c) => (await job(c)).updateData(c.data),
  log: async (c) => (await queue(c.queue)).addJobLog(c.id, c.row, c.keep),
  clear_logs: async (c) => (await job(c)).clearLogs(c.keep),
  retry: async (c) => (await job(c)).retry(c.state ?? 'failed', {
    resetAttemptsMade: c.reset_made, resetAttemptsStarted: c.reset_started,
  }),
  remove_own_deduplication_key: async (c) => (await job(c)).removeDeduplicationKey(),
  remove_child_dependency: async (c) => (await job(c)).removeChildDependency(),
  remove_unprocessed_children: async (c) => { await (await job(c)).removeUnprocessedChildren(); },
  children_values: async (c) => sorted(await (await job(c)).getChildrenValues()),
  ignored_failures: async (c) => sorted(await (await job(c)).getIgnoredChildrenFailures()),
  dependency_counts: async (c) => (await job(c)).getDependenciesCount(),

  fetch: async (c) => {
    const w = worker(c);
    w.limitUntil = 0; // the suite decides when to ask again
    // Version 5 settles jobs with a deferred failure on the way; that is a step of its own here.
    const next = w.getTracedNextJob ?? w.getNextJob;
    const found = await next.call(w, c.token ?? 'T', { block: false });
    if (found) return hold(c, found);
    return { limited: w.limitUntil > 0, next: Math.floor(w.blockUntil) };
  },
  finish: async (c) => {
    const w = worker(c);
    const found = held.get(handle(c, c.id));
    w.processFn = () => behave(c, found);
    w.lastError = undefined;
    w.limitUntil = 0;
    const next = await w.processJob(found, c.token ?? 'T', () => c.fetch ?? false);
    if (w.lastError) throw w.lastError;
    return c.fetch && next && !Array.isArray(next) ? hold(c, next) : null;
  },
  // The public moves with a lock token.
  finish_by_hand: async (c) => {
    const found = held.get(handle(c, c.id));
    const token = c.as ?? c.token ?? 'T';
    if (c.delay_until !== undefined) await found.moveToDelayed(c.delay_until, token);
    else if (c.to_wait) await found.moveToWait(token);
    else if (c.to_waiting_children) return found.moveToWaitingChildren(token);
    else if (c.error !== undefined) await found.moveToFailed(failure(c), token, false);
    else await found.moveToCompleted(c.result, token, false);
    return null;
  },
  run_worker: async (c) => { run_worker(c); },
  close_worker: async (c) => {
    await running(c).close(true);
    live.delete(live_key(c));
  },
  release: async (c) => {
    const { held } = live.get(live_key(c));
    const end = await patiently(`job ${c.id} runs`, () => held.get(c.id));
    held.delete(c.id);
    if (c.error !== undefined) end.reject(new Error(c.error));
    else end.resolve(c.result);
  },
  worker_pause: async (c) => { await running(c).pause(true); },
  worker_resume: async (c) => { await running(c).resume(); },
  worker_is_paused: async (c) => running(c).isPaused(),
  set_worker_concurrency: async (c) => { running(c).concurrency = c.concurrency; },
  cancel_job: async (c) => running(c).cancelJob(c.id, c.reason),
  cancel_all_jobs: async (c) => { running(c).cancelAllJobs(c.reason); },
  workers: async (c) => clients(c, (q) => q.getWorkers()),
  listeners: async (c) => clients(c, (q) => q.getQueueEvents()),
  begin_wait: async (c) => {
    const name = c.queue ?? 'q';
    if (!listeners.has(name)) listeners.set(name, new QueueEvents(name, common));
    const found = await job(c);
    const q = await queue(name);
    // An event that comes before it listens is lost to it.
    await patiently('it listens', async () => (await q.getQueueEvents()).some((l) => l.cmd === 'xread' && l.flags.includes('b')));
    waits.set(c.id, found.waitUntilFinished(listeners.get(name), c.ttl ?? 10000).then((value) => ({ value }),
      (error) => (/timed out before finishing/.test(error.message) ? { timeout: true } : { failed: error.message })));
  },
  end_wait: async (c) => {
    const told = await waits.get(c.id);
    waits.delete(c.id);
    return told;
  },

  stalled_check: async (c) => { await worker(c).moveStalledJobsToWait(); },
  renew: async (c) => (await worker(c).extendJobLocks(c.ids, c.ids.map(() => c.token ?? 'T'), 30000)),

  add_flow: async (c) => {
    const ids = (node) => ({ id: node.job.id, children: (node.children ?? []).map(ids) });
    return ids(await flows.add(c.flow, c.options));
  },
  add_flows: async (c) => (await flows.addBulk(c.flows)).map((node) => node.job.id),
  flow: async (c) => {
    const tree = (node) => node && {
      id: node.job.id, children: (node.children ?? []).map(tree).sort((a, b) => (a.id < b.id ? -1 : 1)),
    };
    return tree(await flows.getFlow({ id: c.id, queueName: c.queue ?? 'q', prefix, depth: c.depth ?? 10, maxChildren: 20 }));
  },

  upsert_scheduler: async (c) => (await (await queue(c.queue)).upsertJobScheduler(c.id, c.repeat, c.template))?.id ?? null,
  remove_scheduler: async (c) => (await queue(c.queue)).removeJobScheduler(c.id),
  scheduler: async (c) => {
    const found = await (await queue(c.queue)).getJobScheduler(c.id);
    return found ? { name: found.name, next: found.next ?? 0, every: Number(found.every ?? 0), pattern: found.pattern ?? '',
      tz: found.tz ?? '', iterationCount: found.iterationCount ?? 0, limit: found.limit ?? 0 } : null;
  },
  schedulers: async (c) => (await (await queue(c.queue)).getJobSchedulers(c.start ?? 0, c.end ?? -1, c.ascending ?? false))
    .map((s) => s.key),
};

const socket = new net.Socket({ fd: Number(fd), readable: true, writable: true });
for await (const line of readline.createInterface({ input: socket })) {
  const call = JSON.parse(line);
  let reply;
  try {
    const value = await steps[call.do](call);
    reply = { value: value ?? null };
  } catch (error) {
    reply = { error: { code: error.code ?? 0, text: String(error.message) } };
  }
  socket.write(JSON.stringify(reply) + '\n');
}
process.exit(0);
