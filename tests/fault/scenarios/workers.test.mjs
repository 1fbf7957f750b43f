// Scenarios 1 to 7 of the fault list (tests/fault/README.md): workers that die, drain, freeze and are taken away.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { is_long, sleep, until } from './lib/children.mjs';
import { check_invariants, misplaced, report } from './lib/invariants.mjs';
import { FakeCloud } from './lib/fake_cloud.mjs';
import { Site, base } from './lib/site.mjs';

const drain_delay_ms = 1000; // as Site.start_worker sets it

const site = new Site();
before(() => site.start());
beforeEach(() => site.reset());
after(() => site.end());

test('1: what a killed worker held runs again and ends once', async () => {
    // The long form with the product's defaults: 65 s. The bound is lock + interval + the longest wait for a wake-up.
    const [lock_ms, interval_ms, wake_up_ms] = is_long ? [30_000, 30_000, 5000] : [2000, 1000, 5000];
    const env = { LOCK_DURATION: `${lock_ms}ms`, STALLED_INTERVAL: `${interval_ms}ms`, DRAIN_DELAY: is_long ? '5s' : '1s' };
    await site.slow_shop(300_000);
    const first = await site.start_worker(env);
    const ids = await site.scrapes(10);
    await site.until_active(10);
    const killed_at = Date.now();
    await first.kill();
    await site.well_shop();
    await site.start_worker(env);
    await site.until_quiet(120_000);
    const counts = await check_invariants(site);
    let latest = 0;
    for (const id of ids) {
        assert.equal(await site.field(id, 'stc'), '1', `stalls counted for ${id}`);
        const starts = site.log.times('active', id);
        assert.equal(starts.length, 2);
        latest = Math.max(latest, starts[1] - killed_at);
    }
    const bound = lock_ms + interval_ms + wake_up_ms;
    assert.ok(latest <= bound, `the last restart came ${latest} ms after the kill, bound ${bound}`);
    report(1, { ...counts, 'last restart after ms': latest });
});

test('2: SIGTERM lets running jobs end and starts none', async () => {
    await site.slow_shop(300);
    const worker = await site.start_worker({ DRAIN_TIMEOUT: '40s', LOCK_DURATION: '10s' });
    const ids = await site.scrapes(10);
    await site.until_active(10);
    const waiting = await site.scrapes(5);
    const at = Date.now();
    worker.signal('SIGTERM');
    await until('the worker drains', async () => (await site.get('/health/ready', { of: worker })).json?.status === 'draining');
    assert.equal((await site.get('/health/live', { of: worker })).status, 200);
    assert.equal(await worker.ended(30_000), 0);
    const took = worker.ended_at - at;
    assert.equal(await site.active(), 0, 'I8: no active job is left');
    for (const id of ids) assert.notEqual(await site.queue.client.zscore(base + 'completed', id), null);
    await sleep(100);
    const after_last = worker.ended_at - site.log.times('completed').at(-1);
    assert.ok(after_last <= 2000, `the process ended ${after_last} ms after its last job`);
    const late = site.log.entries.filter((e) => e.event === 'active' && e.at > at + 50);
    assert.deepEqual(late, [], 'a job was started more than 50 ms after the signal');
    for (const id of waiting) assert.equal(await site.field(id, 'ats'), null);
    await site.well_shop();
    await site.start_worker();
    await site.until_quiet();
    report(2, { ...(await check_invariants(site)), 'exit after ms': took });
});

test('3: SIGTERM with long jobs gives all of them back, and others start them', async () => {
    const drain_ms = is_long ? 20_000 : 4000;
    await site.slow_shop(600_000);
    const worker = await site.start_worker({ DRAIN_TIMEOUT: `${drain_ms}ms`, LOCK_DURATION: '20s', STALLED_INTERVAL: '20s' });
    const ids = await site.scrapes(10);
    await site.until_active(10);
    const other = await site.start_worker({ LOCK_DURATION: '20s', STALLED_INTERVAL: '20s' });
    const at = Date.now();
    worker.signal('SIGTERM');
    assert.equal(await worker.ended(drain_ms + 5000), 0);
    const took = worker.ended_at - at;
    assert.ok(took <= drain_ms, `exit after ${took} ms`);
    for (const id of ids) {
        assert.equal(await site.field(id, 'atm'), null, 'a release spends no attempt');
        assert.equal(await site.field(id, 'stc'), null, 'a release is no stall');
    }
    await until('the other worker has them all', async () => ids.every((id) => site.log.times('active', id).length === 2));
    const waits = ids.map((id) => site.log.times('active', id)[1] - site.log.times('waiting', id).at(-1));
    assert.ok(Math.max(...waits) <= drain_delay_ms + 1000, `a job waited ${Math.max(...waits)} ms for an idle worker`);
    await site.well_shop();
    other.signal('SIGTERM'); // its requests still hang
    other.signal('SIGINT');
    assert.equal(await other.ended(10_000), 0);
    await site.start_worker();
    await site.until_quiet();
    report(3, { ...(await check_invariants(site)), 'exit after ms': took, 'longest wait ms': Math.max(...waits), 'released': ids.length });
});

test('4: two SIGTERM, then SIGKILL: nothing is in two places, what was left stalls', async () => {
    await site.slow_shop(60_000);
    const worker = await site.start_worker({ DRAIN_TIMEOUT: '60s' });
    const ids = await site.scrapes(10);
    await site.until_active(10);
    worker.signal('SIGTERM');
    await sleep(20);
    worker.signal('SIGTERM');
    await sleep(is_long ? 1000 : 3); // the short form kills it in the middle of giving back
    await worker.kill();
    assert.deepEqual(await misplaced(site.queue.client), []);
    await site.well_shop();
    await site.start_worker();
    await site.until_quiet();
    const counts = await check_invariants(site);
    let stalled = 0;
    for (const id of ids) {
        const n = Number((await site.field(id, 'stc')) ?? 0);
        assert.ok(n <= 1);
        stalled += n;
    }
    report(4, { ...counts, 'left to the stalled check': stalled });
});

for (const [cloud, lead_ms] of [['aws', 120_000], ['gcp', 30_000], ['azure', 30_000]])
    test(`5: a spot notice of ${cloud} drains without any signal`, async (t) => {
        const metadata = await new FakeCloud().start();
        t.after(() => metadata.stop());
        await site.slow_shop(60_000);
        const worker = await site.start_worker({ SPOT_NOTICE: cloud, SPOT_METADATA_URL: metadata.url, LOCK_DURATION: '20s', STALLED_INTERVAL: '20s',
            // The short form shortens what the cloud leaves; that it is 105, 13 and 27 s by itself, a unit test shows.
            ...(is_long ? { DRAIN_TIMEOUT: '105s' } : { DRAIN_TIMEOUT: '4s', SPOT_POLL_INTERVAL: '300ms' }) });
        const ids = await site.scrapes(5);
        await site.until_active(5);
        await until('the metadata server was asked', () => metadata.asked[cloud] >= 2);
        if (cloud === 'azure') {
            metadata.announce(cloud, lead_ms, 'vm-2');
            const before = metadata.asked.azure;
            await until('it heard of its neighbour', () => metadata.asked.azure >= before + 2);
        }
        assert.ok(!worker.log().includes('"draining"'), 'no notice of this machine, no drain');
        const noticed_at = Date.now();
        metadata.announce(cloud, lead_ms);
        await until('the drain', () => worker.log().includes('"draining"'), 6000);
        const began = Date.now() - noticed_at;
        if (!is_long) assert.equal(await site.metric(worker, 'worker_spot_notices_total'), 1);
        assert.equal(await worker.ended(is_long ? lead_ms : 10_000), 0);
        assert.ok(worker.ended_at <= noticed_at + lead_ms - 3000, 'the process ends before the machine does');
        await sleep(100);
        for (const id of ids) {
            const back = site.log.times('waiting', id).at(-1);
            assert.ok(back <= noticed_at + lead_ms - 5000, 'finished or released 5 s before the machine goes');
            assert.equal(await site.field(id, 'atm'), null);
        }
        await site.well_shop();
        await site.start_worker();
        await site.until_quiet();
        report(5, { cloud, ...(await check_invariants(site)), 'drain began after ms': began, 'exit after ms': worker.ended_at - noticed_at });
    });

test('6: a rolling restart under load, jobs interrupted again and again, fails none', async () => {
    const fleet = is_long ? 20 : 4, rounds = is_long ? 5 : 2;
    await site.slow_shop(150);
    const env = { DRAIN_TIMEOUT: '1s', LOCK_DURATION: '5s', WORKER_CONCURRENCY: '4' };
    let workers = await Promise.all(Array.from({ length: fleet }, () => site.start_worker(env)));
    let is_over = false, gap = 0;
    const load = (async () => {
        while (!is_over) {
            await site.scrape({ filters: { per_page: 10 } }); // four pages: time to be interrupted
            await sleep(30);
        }
    })();
    for (let round = 0; round < rounds; round++)
        for (let i = 0; i < fleet; i++) {
            const old = workers[i];
            old.signal('SIGTERM');
            await sleep(50);
            old.signal('SIGTERM'); // interrupts instead of waiting
            workers[i] = await site.start_worker(env);
            assert.equal(await old.ended(10_000), 0);
        }
    is_over = true;
    await load;
    await site.until_quiet();
    const counts = await check_invariants(site);
    const done = site.log.times('completed');
    for (let i = 1; i < done.length; i++) gap = Math.max(gap, done[i] - done[i - 1]);
    assert.ok(gap <= 10_000, `nothing was completed for ${gap} ms`);
    const interrupted = counts.starts - counts.completed;
    assert.ok(interrupted > 0, 'no job was interrupted: the scenario tests nothing');
    report(6, { ...counts, 'restarts': fleet * rounds, 'interruptions': interrupted, 'longest gap ms': gap });
});

test('7: a worker frozen beyond its lock does nothing any more when it wakes', async () => {
    await site.slow_shop(1000);
    const frozen = await site.start_worker();
    const ids = await site.scrapes(5);
    await site.until_active(5);
    frozen.signal('SIGSTOP');
    const other = await site.start_worker();
    await until('the jobs ran elsewhere', async () => (await site.queue.client.zcard(base + 'completed')) === 5, is_long ? 120_000 : 30_000);
    const before_waking = site.database.sql('SELECT sum(extract(epoch FROM scraped_at)), count(*) FROM products');
    if (is_long) await sleep(45_000);
    frozen.signal('SIGCONT');
    await until('the frozen worker noticed', () => frozen.log().includes('"outcome":"lost"'));
    frozen.signal('SIGTERM');
    await frozen.ended(15_000);
    assert.equal(site.database.sql('SELECT sum(extract(epoch FROM scraped_at)), count(*) FROM products'), before_waking, 'no row went back');
    await site.until_quiet();
    const counts = await check_invariants(site);
    assert.equal(Number(await site.metric(frozen.is_running ? frozen : other, 'bullmq_jobs_stalled_total')), 5);
    for (const id of ids) assert.equal(site.log.times('completed', id).length, 1);
    report(7, { ...counts, 'refused by their lock': frozen.lines().filter((l) => l.outcome === 'lost').length });
});
