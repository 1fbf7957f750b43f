// Scenarios 10 and 11 of the fault list (tests/fault/README.md): the whole product on a Redis with sentinels, and a master cut off from its replica.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FaultProxy } from '../../../tools/fault-proxy/fault-proxy.mjs';
import { sleep, until } from './lib/children.mjs';
import { check_invariants, report } from './lib/invariants.mjs';
import { EventLog } from './lib/event_log.mjs';
import { RedisServer, Sentinels, connect } from './lib/servers.mjs';
import { Site, base } from './lib/site.mjs';

const site = new Site();
before(() => site.start({ with_gateway: false }));
after(() => site.end());

test('10: gateway and worker follow a failover by Sentinel', async (t) => {
    const redis = await new Sentinels().start(site.dir);
    t.after(() => redis.end());
    await site.log.stop();
    let port = redis.master.port;
    site.log = new EventLog(site.log.file, () => port).start();
    const gateway = (site.gateway = await site.start_gateway({ REDIS_QUEUE_URL: redis.url }));
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
    await site.until_quiet();
    // Replication is asynchronous: what was acknowledged within its lag of the kill may be gone, nothing older.
    const lost = new Set();
    for (const e of site.log.entries.filter((e) => e.event === 'accepted')) {
        if (await client.exists(base + e.jobId)) continue;
        assert.ok(e.at >= killed_at - 500 && e.at <= promoted_at, `${e.jobId}, accepted ${killed_at - e.at} ms before the kill, is lost`);
        lost.add(e.jobId);
    }
    assert.deepEqual(other, []);
    const outage = accepted_at - killed_at;
    assert.ok(outage <= 500 + 3000 + 3000 + 2000, `no start was accepted for ${outage} ms`);
    const later = gateway.lines().concat(worker.lines()).filter((l) => Date.parse(l.ts) > accepted_at + 2000 && JSON.stringify(l).includes('READONLY'));
    assert.deepEqual(later, [], 'no connection goes on answering READONLY');
    report(10, { ...(await check_invariants(site, { lost, forgets: true, redis: client })), 'outage ms': outage, 'refused with 503': refused });
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
