// Scenarios 10 and 11 of the fault list (tests/fault/README.md): the whole product on a Redis with sentinels, and a master cut off from its replica.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { FaultProxy } from '../../../tools/fault-proxy/fault-proxy.mjs';
import { Child, programs, sleep, until } from './lib/children.mjs';
import { check_invariants, report } from './lib/invariants.mjs';
import { EventLog } from './lib/event_log.mjs';
import { Cluster, RedisServer, Sentinels, connect } from './lib/servers.mjs';
import { Site, base } from './lib/site.mjs';

const site = new Site();
before(() => site.start({ with_gateway: false }));
after(() => site.end());

for (const durability of ['local', 'outbox']) test(`10: gateway and worker follow a failover by Sentinel, ENQUEUE_DURABILITY=${durability}`, async (t) => {
    const dir = path.join(site.dir, `sentinels-${durability}`);
    fs.mkdirSync(dir, { mode: 0o777 });
    const redis = await new Sentinels().start(dir);
    site.database.sql('TRUNCATE products, product_history, scrape_runs, page_cache CASCADE');
    t.after(() => redis.end());
    await site.log.stop();
    let port = redis.master.port;
    site.log = new EventLog(site.log.file, () => port).start();
    const gateway = (site.gateway = await site.start_gateway({ REDIS_QUEUE_URL: redis.url, ENQUEUE_DURABILITY: durability, OUTBOX_RECHECK: '2s' }));
    const worker = await site.start_worker({ REDIS_QUEUE_URL: redis.url });
    let is_over = false, refused = 0;
    const other = [];
    const load = (async () => {
        while (!is_over) {
            const r = await site.scrape();
            if (r.status === 503) refused++;
            else if (r.status !== 202) other.push(`${r.status} ${r.text}`);
            await sleep(10);
        }
    })();
    await until('work goes on', async () => (await redis.master.client.zcard(base + 'completed')) >= 20);
    const killed_at = Date.now();
    await redis.master.kill();
    await until('another master', async () => (port = await redis.master_port()) !== redis.master.port);
    const promoted_at = Date.now();
    const accepted_at = await until('a start is accepted again', () => site.log.entries.find((e) => e.event === 'accepted' && e.at > promoted_at)?.at);
    await sleep(1500);
    is_over = true;
    await load;
    const client = connect(port);
    t.after(() => client.disconnect());
    site.queue.client.disconnect();
    site.queue.client = client;
    await until('connected', async () => (await client.ping()) === 'PONG');
    if (durability === 'outbox') // what the new master never heard of is added again
        await until('the queue has every accepted job', async () => (await Promise.all([...site.log.ids].map((id) => client.exists(base + id)))).every(Boolean), 60_000);
    await site.until_quiet();
    // Replication is asynchronous: what was acknowledged within its lag of the kill may be gone, nothing older.
    const lost = new Set();
    for (const e of site.log.entries.filter((e) => e.event === 'accepted')) {
        if (await client.exists(base + e.jobId)) continue;
        assert.ok(e.at >= killed_at - 500 && e.at <= promoted_at, `${e.jobId}, accepted ${killed_at - e.at} ms before the kill, is lost`);
        lost.add(e.jobId);
    }
    if (durability === 'outbox') assert.equal(lost.size, 0, 'the outbox loses nothing');
    assert.deepEqual(other, []);
    const outage = accepted_at - killed_at, after_failover = accepted_at - promoted_at;
    assert.ok(after_failover <= 3000, `no start was accepted for ${after_failover} ms after the failover`);
    const later = gateway.lines().concat(worker.lines()).filter((l) => Date.parse(l.ts) > accepted_at + 2000 && JSON.stringify(l).includes('READONLY'));
    assert.deepEqual(later, [], 'no connection goes on answering READONLY');
    report(10, { durability, ...(await check_invariants(site, { lost, forgets: true, redis: client })), 'outage ms': outage, 'after the failover ms': after_failover, 'refused with 503': refused });
    await worker.kill();
    await gateway.kill();
});

test('11: a master that lost its replica takes no more jobs, and keeps those it took', async (t) => {
    const lag_s = 2;
    const master = await new RedisServer(site.dir, 'cut-master', ['--min-replicas-to-write', '1', '--min-replicas-max-lag', String(lag_s)]).start();
    const proxy = await new FaultProxy({ to: { host: '127.0.0.1', port: master.port } }).start();
    const replica = await new RedisServer(site.dir, 'cut-replica', ['--replicaof', '127.0.0.1', String(proxy.port), '--repl-timeout', '5']).start();
    t.after(async () => { await proxy.stop(); await replica.end(); await master.end(); });
    await until('the replica follows', async () => (await master.client.info('replication')).includes('state=online'));
    await site.log.stop();
    site.queue.client.disconnect();
    site.queue.client = connect(master.port);
    site.log = new EventLog(site.log.file, () => master.port).start();
    site.database.sql('TRUNCATE products, product_history, scrape_runs, page_cache CASCADE');
    const gateway = (site.gateway = await site.start_gateway({ REDIS_QUEUE_URL: master.url }));
    const before = await until('accepted', async () => { const r = await site.scrape(); return r.status === 202 && r.json.job_id; });
    proxy.black_hole();
    const cut_at = Date.now();
    let last_accepted = cut_at, first_refused = 0, accepted_after_refusal = 0;
    while (Date.now() < cut_at + (lag_s + 3) * 1000) {
        const r = await site.scrape();
        if (r.status === 202) {
            last_accepted = Date.now();
            if (first_refused) accepted_after_refusal++;
        } else {
            assert.equal(r.status, 503, r.text);
            first_refused ||= Date.now();
        }
        await sleep(100);
    }
    assert.ok(first_refused, 'the master never refused');
    assert.ok(last_accepted - cut_at <= lag_s * 1000 + 1500, `accepted ${last_accepted - cut_at} ms after the cut`);
    assert.equal(accepted_after_refusal, 0);
    proxy.pass();
    await until('accepted again', async () => (await site.scrape()).status === 202);
    const worker = await site.start_worker({ REDIS_QUEUE_URL: master.url });
    await site.until_quiet();
    assert.notEqual(await site.queue.client.zscore(base + 'completed', before), null);
    report(11, { ...(await check_invariants(site)), 'last accepted after ms': last_accepted - cut_at });
    await worker.kill();
    await gateway.kill();
});

test('the whole product on a cluster of three masters, one of which is killed and comes back', async (t) => {
    const cluster = new Cluster();
    t.after(() => cluster.end());
    await cluster.start(site.dir);
    const on_cluster = { REDIS_QUEUE_URL: cluster.url, QUEUE_PREFIX: '{bull}' }; // one slot for the queue: its scripts use several keys
    const keys = '{bull}:scraping:';
    const home = await cluster.master_of(keys);
    await site.log.stop();
    site.queue.client.disconnect();
    site.queue.client = home.client;
    site.log = new EventLog(site.log.file, () => home.port, keys + 'events').start();
    site.database.sql('TRUNCATE products, product_history, scrape_runs, page_cache CASCADE');
    const migrated = new Child('migrate', [path.join(programs, 'tiktrend'), 'migrate', '--status'], { log: path.join(site.dir, 'cluster-migrate.log'), env: { ...site.common, ...on_cluster } });
    assert.equal(await migrated.ended(10_000), 0, migrated.log());
    const gateway = (site.gateway = await site.start_gateway({ ...on_cluster, RATE_LIMIT_SCRAPE: '100000/1m', QUOTA_SCRAPES: '100000' })); // counted, as in production
    const worker = await site.start_worker(on_cluster);
    const done = async (id) => (await home.client.zscore(keys + 'completed', id)) !== null;

    const headers = { 'idempotency-key': 'on-a-cluster' };
    const [once, twice] = [await site.scrape({ headers }), await site.scrape({ headers })];
    assert.equal(once.status, 202, once.text);
    assert.equal(twice.json.job_id, once.json.job_id, 'idempotent starts');
    await until('a job is done', () => done(once.json.job_id));
    const put_off = await site.scrape({ delay: 1500 });
    const batch = await site.request('POST', '/scraping/batch', { body: { items: [1, 2, 3].map(() => ({ source: 'demo.shop', filters: { shop: site.shop_url, per_page: 50 } })) } });
    assert.equal(batch.status, 202, batch.text);
    const schedule = await site.request('PUT', '/scraping/schedules/hourly', { body: { source: 'demo.shop', filters: { shop: site.shop_url }, every: 3_600_000 } });
    assert.ok([200, 201].includes(schedule.status), schedule.text);
    assert.equal((await site.request('DELETE', '/scraping/schedules/hourly')).status, 204);
    await until('all of it is done', async () => (await home.client.llen(keys + 'active')) + (await home.client.zcard(keys + 'prioritized')) === 0);
    await site.slow_shop(60_000);
    const stuck = await site.scrape();
    await until('it runs', async () => (await site.get(`/scraping/jobs/${stuck.json.job_id}`)).json?.state === 'active');
    const cancelled = await site.request('DELETE', `/scraping/jobs/${stuck.json.job_id}`);
    assert.ok([200, 202, 204].includes(cancelled.status), cancelled.text);
    await until('a running job is cancelled', async () => (await site.get(`/scraping/jobs/${stuck.json.job_id}`)).json?.state === 'failed');
    await site.well_shop();
    await until('a delayed job is done', () => done(put_off.json.job_id));
    assert.equal((await site.get('/products?limit=5')).json.items.length, 5);
    const told = async () => (await site.get(gateway.metrics_url)).text.split('\n').filter((l) => /^(bullmq_queue|queue_metrics)/.test(l)).join('\n');
    await until('the depth is told', async () => { const t = await told(); if (!t.includes('bullmq_queue_depth{queue="scraping"} 0')) throw new Error(t); return true; }, 10_000);
    assert.equal((await site.get('/autoscaling/queue-depth')).status, 200);

    // The master that has the queue is killed; nobody replaces it, and its log is complete.
    let is_over = false;
    const seen = { accepted: 0, refused: 0, other: [] };
    const load = (async () => {
        for (; !is_over; await sleep(20)) {
            const r = await site.scrape();
            r.status === 202 ? seen.accepted++ : r.status === 503 ? seen.refused++ : seen.other.push(`${r.status} ${r.text}`);
        }
    })();
    t.after(async () => { is_over = true; await load; });
    await until('work goes on', () => seen.accepted >= 10);
    await home.kill();
    await until('starts are refused', () => seen.refused >= 3, 15_000);
    await home.start();
    const up_at = Date.now();
    await until('starts are accepted again', () => site.log.entries.some((e) => e.event === 'accepted' && e.at > up_at));
    const again_ms = Date.now() - up_at;
    is_over = true;
    await load;
    assert.deepEqual(seen.other, []);
    await until('every accepted job has ended', async () => {
        const ended = await Promise.all([...site.log.ids].map(async (id) => (await done(id)) || (await home.client.zscore(keys + 'failed', id)) !== null));
        return ended.every(Boolean);
    }, 60_000);
    const failed = await home.client.zrange(keys + 'failed', 0, -1);
    assert.deepEqual(failed, [stuck.json.job_id], 'none but the cancelled one failed');
    assert.ok(worker.is_running && gateway.is_running);
    report('cluster', { accepted: site.log.ids.size, 'refused with 503': seen.refused, 'accepted again after ms': again_ms });
});
