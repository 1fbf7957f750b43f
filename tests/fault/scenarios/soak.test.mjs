// Random faults of the list, one after another and on top of each other, while work goes on; then everything is healed and the global
// invariants must hold. The seed is printed; TIKTREND_SEED repeats the same faults in the same order (what the machine makes of them
// may differ). TIKTREND_SOAK_SECONDS sets the length: 12 by default, 1800 with TIKTREND_LONG_TESTS=1.
import { after, before, test } from 'node:test';
import { FaultProxy, random_of } from '../../../tools/fault-proxy/fault-proxy.mjs';
import { is_long, sleep } from './lib/children.mjs';
import { check_invariants, misplaced, report } from './lib/invariants.mjs';
import { Site } from './lib/site.mjs';
import assert from 'node:assert/strict';

const seed = Number(process.env.TIKTREND_SEED ?? Date.now() % 1_000_000_000);
const seconds = Number(process.env.TIKTREND_SOAK_SECONDS ?? (is_long ? 1800 : 12));
const random = random_of(seed);
const pick = (list) => list[Math.floor(random() * list.length)];

const site = new Site();
let proxy;
before(async () => {
    await site.start({ queue: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    proxy = await new FaultProxy({ to: { host: '127.0.0.1', port: site.queue.port }, seed }).start();
    // In a hole no worker reaches the queue, and one may follow another; from its end on the workers' time counts.
    site.log.may_recover = () => proxy.mode === 'pass';
    await site.reset();
});
after(async () => {
    await proxy.stop();
    await site.end();
});

const env = () => ({ REDIS_QUEUE_URL: `redis://127.0.0.1:${proxy.port}`, MAX_STALLED_COUNT: '100', DRAIN_TIMEOUT: '2s' });
const workers = [];
const start_one = async () => workers.push(await site.start_worker(env(), { wait: false }));
const replace = async (victim) => {
    workers.splice(workers.indexOf(victim), 1);
    await start_one();
};

/// Each does harm and heals it, in at most a few seconds.
const faults = {
    async kill_worker() { const w = pick(workers); await w.kill(); await replace(w); },
    async drain_worker() {
        const w = pick(workers);
        const is_working = w.log().includes('"worker_started"'); // before that a signal just ends it
        w.signal('SIGTERM');
        const status = await w.ended(10_000);
        assert.ok(!is_working || status === 0 || status === 1, `status ${status}: ${w.log().slice(-1500)}`);
        await replace(w);
    },
    async freeze_worker() { const w = pick(workers); w.signal('SIGSTOP'); await sleep(500 + random() * 3000); w.signal('SIGCONT'); },
    async cut() { proxy.cut(); },
    async lose_an_answer() { void proxy.cut_reply(); await sleep(200); },
    async slow_network() { proxy.latency(50 + random() * 200); proxy.loss(0.05); await sleep(1000); proxy.pass(); },
    async black_hole() { proxy.black_hole(); await sleep(300 + random() * 1500); proxy.pass(); },
    async half_open() { proxy.half_open(); await sleep(300 + random() * 1000); proxy.pass(); },
    async kill_clients() { await site.queue.client.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes'); await site.queue.client.script('FLUSH'); },
    async restart_redis() { await site.queue.stop(); await sleep(random() * 500); await site.queue.start(); },
    async kill_postgres() { await site.database.kill(); await site.database.start(); },
    async slow_shop() { await site.slow_shop(Math.round(100 + random() * 500)); await sleep(500); await site.well_shop(); },
};

test(`a soak of ${seconds} s with seed ${seed}`, async (t) => {
    console.log(`  seed ${seed}`);
    await Promise.all([start_one(), start_one(), start_one()]);
    let is_over = false, refused = 0;
    const other = [];
    const load = (async () => {
        while (!is_over) {
            const r = await site.scrape({ attempts: 50, backoff: { type: 'fixed', delay: 200 }, filters: { per_page: pick([10, 20, 40]) } });
            if (r.status === 503) refused++;
            else if (r.status !== 202) other.push(`${r.status} ${r.text}`);
            await sleep(40);
        }
    })();
    t.after(async () => { is_over = true; await load; });
    const counts = {};
    const end = Date.now() + seconds * 1000;
    while (Date.now() < end) {
        const name = pick(Object.keys(faults));
        counts[name] = (counts[name] ?? 0) + 1;
        site.log.note({ at: Date.now(), event: 'fault', name });
        await faults[name]();
        await sleep(random() * 800);
        if (site.queue.child.is_running) assert.deepEqual(await misplaced(site.queue.client).catch(() => []), []);
    }
    is_over = true;
    await load;
    proxy.pass();
    await site.well_shop();
    await site.until_quiet(180_000);
    assert.deepEqual(other, []);
    // A job whose attempt failed because PostgreSQL went away in mid-write may have used more than one.
    report('soak', { ...(await check_invariants(site, { may_fail: site.log.ids, check_effects: true })), ...counts, 'refused with 503': refused });
});
