// Scenarios 19 to 22 of the fault list (tests/fault/README.md): clocks that jump, PostgreSQL restarted, lagging, failed over.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Child, faketime, is_long, programs, sleep, until } from './lib/children.mjs';
import { check_invariants, report } from './lib/invariants.mjs';
import { PostgresServer } from './lib/servers.mjs';
import { Site, base } from './lib/site.mjs';

const site = new Site();
before(() => site.start());
beforeEach(() => site.reset());
after(() => site.end());

test('19: a worker whose clock jumps an hour on and back breaks nothing', { skip: !faketime && 'libfaketime is not installed' }, async () => {
    const file = path.join(site.dir, 'clock');
    const set = (offset) => fs.writeFileSync(file, offset + '\n');
    set('+0');
    await site.slow_shop(200);
    await site.start_worker();
    const jumping = await site.start_worker({ LD_PRELOAD: faketime, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1' });
    const early_ms = 5000;
    const offset_of = () => Math.round((Date.parse(jumping.lines().at(-1).ts) - Date.now()) / 60_000);
    const delay_ms = 2000, added_at = Date.now();
    let put_off;
    const later = await site.scrapes(5, {}); // at once
    for (const offset of ['+3600', '-3600', '+0']) {
        set(offset);
        await site.scrapes(10);
        await until(`the clock shows ${offset}`, async () => {
            await site.scrapes(1);
            await sleep(100);
            return offset_of() === Number(offset) / 60;
        });
        if (offset === '-3600') { // the other worker's clock is right: what this one thinks holds nothing up
            const asked = Date.now();
            const r = await site.request('POST', '/scraping/start', { body: { source: 'demo.shop', filters: { shop: site.shop_url, per_page: 50 }, delay: early_ms } });
            assert.equal(r.status, 202, r.text);
            site.log.accepted(r.json.job_id);
            put_off = { id: r.json.job_id, due: asked + early_ms };
        }
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
    const late = site.log.times('active', put_off.id)[0] - put_off.due;
    assert.ok(late >= -100 && late <= 1000 + 2000, `a job delayed while one clock was an hour behind started ${late} ms after it was due`);
    assert.equal(counts.stalled, 0, 'no lock expired: their lives are counted by Redis');
    const sum = await site.metric(jumping, 'bullmq_job_duration_seconds_sum');
    assert.ok(sum >= 0 && sum < 120, `durations are of the steady clock: ${sum} s`);
    report(19, { ...counts, 'jumps': 3, 'due job late by ms': late, 'of the jumping worker s': sum, ms: Date.now() - added_at, first: later.length });
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

/// A shop of a thousand products on one page, which all change with every request: in the order of their keys, or against it.
async function big_shop(t, is_reversed) {
    let version = 0;
    const server = http.createServer((_, answer) => {
        version++;
        const products = Array.from({ length: big_shop_products }, (_, i) => ({ sku: `BIG-${String(i).padStart(4, '0')}`, name: `Thing ${i}`, category: 'Things',
            price: `${version}.${is_reversed ? '50' : '00'}`, currency: 'EUR', sold_7d: version, sold_total: version, rating: 4, reviews: 1, url: `/p/${i}`, in_stock: true }));
        if (is_reversed) products.reverse();
        answer.setHeader('content-type', 'application/json');
        answer.end(JSON.stringify({ page: 1, pages: 1, total: products.length, products }));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => { server.closeAllConnections(); server.close(); });
    return `http://127.0.0.1:${server.address().port}`;
}
const big_shop_products = 1000;

test('20: the same 1,000 products in opposite order: no deadlock; one that somebody else makes is survived', async (t) => {
    const shops = await Promise.all([big_shop(t, false), big_shop(t, true)]);
    const env = { FETCH_ALLOW: shops.map((s) => s.slice('http://'.length)).join(',') };
    await Promise.all([site.start_worker(env), site.start_worker(env)]);
    const deadlocks = () => Number(site.database.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'tiktrend'"));
    const before = deadlocks();
    for (let i = 0; i < (is_long ? 200 : 10); i++) for (const shop of shops) await site.scrapes(1, { filters: { shop, per_page: 250 } });
    await site.until_quiet(300_000);
    assert.equal(deadlocks(), before, 'writers wait for each other in one order');

    // Somebody else holds the last product, and asks for the first once a worker waits for the last: a circle, of which the worker is the victim.
    const rude = new Child('rude writer', ['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', site.database.url(), '-c', `SET deadlock_timeout = '60s'; BEGIN;
        UPDATE products SET title = title WHERE external_id = (SELECT max(external_id) FROM products);
        DO $$ BEGIN FOR i IN 1..3000 LOOP EXIT WHEN EXISTS (SELECT FROM pg_locks WHERE NOT granted); PERFORM pg_sleep(0.01); END LOOP; END $$;
        UPDATE products SET title = title WHERE external_id = (SELECT min(external_id) FROM products); COMMIT`], { log: path.join(site.dir, 'rude.log') });
    t.after(() => rude.kill());
    await until('it holds the last', () => site.database.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") === '1');
    const [id] = await site.scrapes(1, { filters: { shop: shops[1], per_page: 250 } });
    assert.equal(await rude.ended(60_000), 0, rude.log());
    await site.until_quiet();
    await until('PostgreSQL counted it', () => deadlocks() > before);
    const counts = await check_invariants(site, { products: big_shop_products });
    assert.equal(site.log.times('active', id).length, 1, 'the page was tried again, not the job');
    assert.equal(await site.field(id, 'atm'), '1');
    const history = site.database.sql(`SELECT (SELECT count(*) FROM product_history) = (SELECT sum(products_changed) FROM scrape_runs WHERE status = 'succeeded')`);
    assert.equal(history, 't', 'the history holds each change once');
    report(20, { ...counts, deadlocks: deadlocks() - before });
});

test('21: a replica that lags is never cached from, and leaves', async (t) => {
    const replica = await new PostgresServer(site.dir, 'replica-21', { standby_of: site.database }).create();
    t.after(() => replica.end());
    const gateway = await site.start_gateway({ DATABASE_REPLICA_URLS: replica.url() });
    t.after(() => gateway.kill());
    await site.start_worker();
    await site.scrapes(1);
    await site.until_quiet();
    const read = (headers) => site.get('/products?limit=40', { of: gateway, headers });
    const serving = async () => (await site.get(gateway.metrics_url)).text.match(/db_replica_serving\{[^}]*\} (\d)/)?.[1] === '1';
    const old = await until('the first products', async () => { const r = await read(); return r.status === 200 && r.json.items?.length === 40 && r.text; });
    await until('the replica serves', serving);
    replica.sql('SELECT pg_wal_replay_pause()');
    await site.next_day();
    const [id] = await site.scrapes(1);
    await site.until_quiet();
    const committed_at = Date.now();
    const token = (await site.get(`/scraping/jobs/${id}`, { of: gateway })).headers.get('x-consistency-token');
    assert.ok(token, 'a completed job comes with a token');
    let stale = 0, cached_stale = 0, first_new = 0, back = 0, ejected_at = 0, own = 0;
    while (Date.now() < committed_at + 9000 && !(first_new && ejected_at && Date.now() > first_new + 2500)) {
        const r = await read();
        assert.equal(r.status, 200);
        if (r.text === old) {
            stale++;
            if (first_new) back++;
            if (/^hit/i.test(r.headers.get('x-cache') ?? '') && Date.now() > committed_at + 1000) cached_stale++;
        } else first_new ||= Date.now();
        const with_token = await read({ 'x-consistency-token': token });
        assert.equal(with_token.status, 200, with_token.text);
        assert.notEqual(with_token.text, old, 'who sends the token sees what the job wrote');
        own++;
        if (!ejected_at && !(await serving())) ejected_at = Date.now();
        await sleep(50);
    }
    assert.equal(cached_stale, 0, 'I7: no stored answer is older than the invalidation');
    assert.ok(first_new, 'the replica was never left');
    assert.equal(back, 0, 'no read goes back to the old');
    assert.ok(ejected_at && ejected_at - committed_at <= 3000, `the replica was left after ${ejected_at - committed_at} ms`);
    replica.sql('SELECT pg_wal_replay_resume()');
    await until('the replica serves again', serving, 20_000);
    assert.notEqual((await read()).text, old);
    report(21, { ...(await check_invariants(site)), 'stale answers': stale, 'from the cache': cached_stale, 'reads with the token': own,
        'left after ms': ejected_at - committed_at, 'new after ms': first_new - committed_at });
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
    const [some] = await site.queue.client.zrange(base + 'completed', 0, 0);
    const token = (await site.get(`/scraping/jobs/${some}`, { of: gateway })).headers.get('x-consistency-token');
    assert.ok(token);
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
        standby.sql('CHECKPOINT'); // writes the timeline down
        const timeline = Number(standby.sql('SELECT timeline_id FROM pg_control_checkpoint()'));
        assert.equal(timeline, 2);
        const kept = await site.get('/products?limit=1', { of: gateway, headers: { 'x-consistency-token': token } });
        assert.equal(kept.status, 200, 'a token of the old timeline is answered by the new primary');
        // Two migrations at once: one waits for the other's lock, and neither does anything twice.
        const migrate = (n) => new Child(`migrate ${n}`, [path.join(programs, 'tiktrend'), 'migrate'], { log: path.join(site.dir, `migrate-22-${n}.log`), env: { ...site.common, DATABASE_URL: url } });
        for (const m of [migrate(1), migrate(2)]) assert.equal(await m.ended(30_000), 0, m.log());
        // The old primary comes back as if nothing had been: whoever is on the new one stays there.
        await old.start();
        const position = () => old.sql('SELECT count(*) FROM scrape_runs');
        const before = position();
        await site.scrape({ of: gateway });
        await site.until_quiet();
        assert.equal(position(), before, 'no write went to the old primary');
        report(22, { ...(await check_invariants(site)), 'working again after ms': took, timeline });
    } finally {
        site.database = old;
    }
    old.sql("ALTER SYSTEM RESET synchronous_standby_names");
    old.sql('SELECT pg_reload_conf()');
});
