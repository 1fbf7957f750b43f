// Scenarios 19 to 22 of the fault list (tests/fault/README.md): clocks that jump, PostgreSQL restarted, lagging, failed over.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { is_long, sleep, until } from './lib/children.mjs';
import { check_invariants, report } from './lib/invariants.mjs';
import { PostgresServer } from './lib/servers.mjs';
import { Site, base } from './lib/site.mjs';

const site = new Site();
before(() => site.start());
beforeEach(() => site.reset());
after(() => site.end());

const faketime = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu'].map((d) => `${d}/faketime/libfaketimeMT.so.1`).find((f) => fs.existsSync(f));

test('19: a worker whose clock jumps an hour on and back breaks nothing', { skip: !faketime && 'libfaketime is not installed' }, async () => {
    const file = path.join(site.dir, 'clock');
    const set = (offset) => fs.writeFileSync(file, offset + '\n');
    set('+0');
    await site.slow_shop(200);
    await site.start_worker();
    const jumping = await site.start_worker({ LD_PRELOAD: faketime, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1' });
    const offset_of = () => Math.round((Date.parse(jumping.lines().at(-1).ts) - Date.now()) / 60_000);
    const delay_ms = 2000, added_at = Date.now();
    const later = await site.scrapes(5, {}); // at once
    for (const offset of ['+3600', '-3600', '+0']) {
        set(offset);
        await site.scrapes(10);
        await until(`the clock shows ${offset}`, async () => {
            await site.scrapes(1);
            await sleep(100);
            return offset_of() === Number(offset) / 60;
        });
        await sleep(1500); // renewals and stalled checks under this clock
    }
    const r = await site.request('POST', '/scraping/start', { body: { source: 'demo.shop', filters: { shop: site.shop_url, per_page: 50 }, delay: delay_ms } });
    assert.equal(r.status, 202, r.text);
    const asked_at = Date.now();
    site.log.accepted(r.json.job_id);
    await site.until_quiet();
    const counts = await check_invariants(site);
    const started = site.log.times('active', r.json.job_id)[0];
    assert.ok(started >= asked_at + delay_ms - 100, `a delayed job started ${asked_at + delay_ms - started} ms early with right clocks`);
    assert.equal(counts.stalled, 0, 'no lock expired: their lives are counted by Redis');
    const sum = await site.metric(jumping, 'bullmq_job_duration_seconds_sum');
    assert.ok(sum >= 0 && sum < 120, `durations are of the steady clock: ${sum} s`);
    report(19, { ...counts, 'jumps': 3, 'of the jumping worker s': sum, ms: Date.now() - added_at, first: later.length });
});

test('20: PostgreSQL killed in mid-batch: all or nothing, and no deadlock', async (t) => {
    await site.slow_shop(60);
    const workers = await Promise.all([site.start_worker(), site.start_worker()]);
    const asked = [];
    let is_over = false;
    const load = (async () => {
        for (let i = 0; !is_over; i++) {
            await site.next_day(); // every page changes rows, in pages of different cuts
            await site.scrape({ filters: { per_page: [7, 13, 20, 40][i % 4] } });
            await sleep(40);
        }
    })();
    t.after(async () => { is_over = true; await load; });
    const recoveries = [];
    for (let i = 0; i < (is_long ? 20 : 2); i++) {
        await sleep(1500);
        await site.database.kill();
        await sleep(300);
        await site.database.start();
        const up_at = Date.now();
        await until('reads go on', async () => {
            asked.push(i);
            const r = await site.get(`/products?limit=5&price_min=0.${1000 + asked.length}`);
            if (r.status !== 200) throw new Error(`${r.status} ${r.text}`);
            return true;
        }, 5000);
        recoveries.push(Date.now() - up_at);
    }
    await sleep(500);
    is_over = true;
    await load;
    await site.well_shop();
    await until('every put-off job is due', async () => {
        if (await site.queue.client.zcard(base + 'delayed')) await sleep(200);
        return (await site.queue.client.zcard(base + 'delayed')) === 0;
    }, 120_000);
    await site.until_quiet(120_000);
    const counts = await check_invariants(site, { forgets: true });
    assert.equal(site.database.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'tiktrend'"), '0');
    assert.equal(site.database.sql(`SELECT count(*) FROM scrape_runs WHERE status = 'succeeded' AND job_id IN
        (SELECT job_id FROM scrape_runs WHERE status = 'succeeded' GROUP BY job_id HAVING count(*) > 1)`), '0');
    assert.ok(workers.every((w) => w.is_running));
    report(20, { ...counts, 'reads back after ms': Math.max(...recoveries) });
});

test('21: a replica that lags is never cached from, and leaves', async (t) => {
    const replica = await new PostgresServer(site.dir, 'replica-21', { standby_of: site.database }).create();
    t.after(() => replica.end());
    const gateway = await site.start_gateway({ DATABASE_REPLICA_URLS: replica.url() });
    t.after(() => gateway.kill());
    await site.start_worker();
    await site.scrapes(1);
    await site.until_quiet();
    const read = () => site.get('/products?limit=40&sort=id', { of: gateway });
    const fallback = async () => { const r = await read(); return r.status === 200 ? r : site.get('/products?limit=40', { of: gateway }); };
    const old = await until('the first products', async () => { const r = await fallback(); return r.status === 200 && r.json.items?.length === 40 && r.text; });
    await until('the replica serves', async () => (await site.get(gateway.metrics_url)).text.match(/db_replica_serving\{[^}]*\} 1/));
    replica.sql('SELECT pg_wal_replay_pause()');
    await site.next_day();
    await site.scrapes(1);
    await site.until_quiet();
    const committed_at = Date.now();
    let stale = 0, cached_stale = 0, first_new = 0, back = 0;
    while (Date.now() < committed_at + 9000 && !(first_new && Date.now() > first_new + 2500)) {
        const r = await fallback();
        assert.equal(r.status, 200);
        if (r.text === old) {
            stale++;
            if (first_new) back++;
            if (r.headers.get('x-cache')?.startsWith('HIT') && Date.now() > committed_at + 1000) cached_stale++;
        } else first_new ||= Date.now();
        await sleep(50);
    }
    assert.equal(cached_stale, 0, 'I7: no stored answer is older than the invalidation');
    assert.ok(first_new, 'the replica was never left');
    const ejected = (await site.get(gateway.metrics_url)).text.match(/db_replica_serving\{[^}]*\} (\d)/)?.[1];
    replica.sql('SELECT pg_wal_replay_resume()');
    await until('the replica serves again', async () => (await site.get(gateway.metrics_url)).text.match(/db_replica_serving\{[^}]*\} 1/), 20_000);
    const last = await fallback();
    assert.notEqual(last.text, old);
    report(21, { ...(await check_invariants(site)), 'stale answers': stale, 'from the cache': cached_stale, 'back to the old': back,
        'new after ms': first_new - committed_at, 'still serving': ejected });
});

test('a replica that is lost costs no read', async (t) => {
    const replica = await new PostgresServer(site.dir, 'replica-lost', { standby_of: site.database }).create();
    t.after(() => replica.end());
    const gateway = await site.start_gateway({ DATABASE_REPLICA_URLS: replica.url() });
    t.after(() => gateway.kill());
    await site.start_worker();
    await site.scrapes(1);
    await site.until_quiet();
    await until('the replica serves', async () => (await site.get(gateway.metrics_url)).text.match(/db_replica_serving\{[^}]*\} 1/));
    const bad = [];
    for (let i = 0; i < 150; i++) {
        if (i === 30) await replica.kill();
        const r = await site.get(`/products?limit=20&price_min=0.${2000 + i}`, { of: gateway }); // no cache can answer it
        if (r.status !== 200) bad.push(`${i}: ${r.status} ${r.text}`);
    }
    assert.deepEqual(bad, []);
    await until('it is left', async () => (await site.get(gateway.metrics_url)).text.match(/db_replica_serving\{[^}]*\} 0/));
    report('replica lost', { reads: 150, bad: bad.length });
});

test('22: the primary is lost, the standby promoted: no acknowledged write is', async (t) => {
    const standby = await new PostgresServer(site.dir, 'standby-22', { standby_of: site.database }).create();
    t.after(() => standby.end());
    site.database.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
    site.database.sql('SELECT pg_reload_conf()');
    const url = `postgresql://postgres@127.0.0.1:${site.database.port},127.0.0.1:${standby.port}/tiktrend?target_session_attrs=read-write&connect_timeout=2`;
    const gateway = await site.start_gateway({ DATABASE_URL: url });
    t.after(() => gateway.kill());
    await site.slow_shop(50);
    await site.start_worker({ DATABASE_URL: url });
    let is_over = false;
    const load = (async () => {
        while (!is_over) {
            await site.scrape({ of: gateway, filters: { per_page: 20 } });
            await sleep(60);
        }
    })();
    t.after(async () => { is_over = true; await load; });
    await until('work goes on', async () => (await site.queue.client.zcard(base + 'completed')) >= 5);
    await site.database.kill();
    const killed_at = Date.now();
    standby.promote();
    const done = await site.queue.client.zcard(base + 'completed');
    await until('jobs end on the new primary', async () => (await site.queue.client.zcard(base + 'completed')) >= done + 5, 60_000);
    const took = Date.now() - killed_at;
    is_over = true;
    await load;
    await until('readiness is back', async () => (await site.get('/health/ready', { of: gateway })).status === 200);
    await site.well_shop();
    await until('nothing is put off', async () => (await site.queue.client.zcard(base + 'delayed')) === 0, 120_000);
    await site.until_quiet(120_000);
    const old = site.database;
    site.database = standby;
    try {
        report(22, { ...(await check_invariants(site)), 'working again after ms': took, timeline: standby.sql('SELECT timeline_id FROM pg_control_checkpoint()') });
    } finally {
        site.database = old;
    }
    await old.start();
    old.sql("ALTER SYSTEM RESET synchronous_standby_names");
    old.sql('SELECT pg_reload_conf()');
});
