// What an operator relies on around the faults: error reports, idle pods first, a state on SIGQUIT, mistakes said at start.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { Child, faketime, programs, sleep, until } from './lib/children.mjs';
import { report } from './lib/invariants.mjs';
import { Site } from './lib/site.mjs';

const site = new Site();
before(() => site.start());
beforeEach(() => site.reset());
after(() => site.end());

/// A server that keeps what it is sent and answers as `answer(request)` says.
async function listener(t, answer = () => ({ status: 200 })) {
    const requests = [];
    const server = http.createServer((request, response) => {
        let body = '';
        request.on('data', (d) => { body += d; });
        request.on('end', () => {
            const seen = { method: request.method, url: request.url, headers: request.headers, body };
            requests.push(seen);
            const { status, headers = {}, hang } = answer(seen, requests.length);
            if (!hang) response.writeHead(status, headers).end('{}');
        });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => { server.closeAllConnections(); return new Promise((resolve) => server.close(resolve)); });
    return { requests, port: server.address().port, host: `127.0.0.1:${server.address().port}` };
}

const wrong_policy = async (t) => {
    await site.queue.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    t.after(() => site.queue.client.config('SET', 'maxmemory-policy', 'noeviction'));
};

test('errors reach a Sentry-compatible endpoint as envelopes', async (t) => {
    const sentry = await listener(t);
    await wrong_policy(t); // an error at every start
    const worker = await site.start_worker({ SENTRY_DSN: `http://publickey@${sentry.host}/42`, SENTRY_ENVIRONMENT: 'trial' });
    const gateway = await site.start_gateway({ SENTRY_DSN: `http://publickey@${sentry.host}/42` });
    await until('both reported', () => sentry.requests.length >= 2);
    for (const r of sentry.requests) {
        assert.equal(r.method, 'POST');
        assert.equal(r.url, '/api/42/envelope/');
        assert.match(r.headers['x-sentry-auth'], /^Sentry sentry_version=7, .*sentry_key=publickey$/);
        const [head, item, payload] = r.body.split('\n');
        const event = JSON.parse(payload);
        assert.equal(JSON.parse(head).event_id, event.event_id);
        assert.match(event.event_id, /^[0-9a-f]{32}$/);
        assert.equal(JSON.parse(item).type, 'event');
        assert.equal(JSON.parse(item).length, Buffer.byteLength(payload));
        assert.equal(event.level, 'error');
        assert.match(event.message.formatted, /^wrong_eviction_policy/);
    }
    const environments = sentry.requests.map((r) => JSON.parse(r.body.split('\n')[2]).environment).sort();
    assert.deepEqual(environments, ['production', 'trial']);
    assert.ok(!worker.log().includes('publickey'), 'the DSN is not logged');
    await gateway.kill();
    report('error reports', { sent: sentry.requests.length });
});

test('an endpoint that hangs holds up nobody, also at the end', async (t) => {
    const sentry = await listener(t, () => ({ hang: true }));
    await wrong_policy(t);
    const worker = await site.start_worker({ SENTRY_DSN: `http://k@${sentry.host}/1` });
    await until('it was asked', () => sentry.requests.length === 1);
    await site.scrapes(1);
    await site.until_quiet(10_000);
    const at = Date.now();
    worker.signal('SIGTERM');
    assert.equal(await worker.ended(10_000), 0);
    assert.ok(worker.ended_at - at <= 2000 + 1500, `took ${worker.ended_at - at} ms`);
    report('hanging endpoint', { 'exit after ms': worker.ended_at - at });
});

test('busy pods cost more to delete than idle ones', async (t) => {
    const api = await listener(t, (r, n) => ({ status: n === 1 ? 500 : 200 }));
    const credentials = path.join(site.dir, 'credentials');
    fs.mkdirSync(credentials);
    fs.writeFileSync(path.join(credentials, 'token'), 'a-token\n');
    await site.slow_shop(2000);
    const worker = await site.start_worker({ POD_DELETION_COST: 'on', POD_NAME: 'scraper-1', POD_NAMESPACE: 'tiktrend', KUBERNETES_API_URL: `http://${api.host}`,
        KUBERNETES_CREDENTIALS_DIR: credentials, POD_DELETION_COST_INTERVAL: '200ms' });
    const costs = () => api.requests.slice(1).map((r) => Number(JSON.parse(r.body).metadata.annotations['controller.kubernetes.io/pod-deletion-cost']));
    await until('idle was said, after a failure', () => costs().includes(0));
    await site.scrapes(4);
    await until('busy was said', () => costs().some((c) => c > 0));
    await site.well_shop();
    await site.until_quiet();
    await until('idle was said again', () => costs().at(-1) === 0);
    const [first] = api.requests;
    assert.equal(first.method, 'PATCH');
    assert.equal(first.url, '/api/v1/namespaces/tiktrend/pods/scraper-1');
    assert.equal(first.headers['content-type'], 'application/merge-patch+json');
    assert.equal(first.headers.authorization, 'Bearer a-token');
    assert.ok(!worker.log().includes('a-token'));
    assert.ok(api.requests.length < 12, `${api.requests.length} patches for one change and back`);
    report('pod deletion cost', { patches: api.requests.length, costs: costs().join(' ') });
});

test('SIGQUIT logs the state and ends nothing', async () => {
    const worker = await site.start_worker();
    for (const [child, name] of [[worker, 'active'], [site.gateway, 'threads']]) {
        child.signal('SIGQUIT');
        const state = await until(`${child.name} says its state`, () => child.lines().find((l) => l.event === 'state'));
        assert.ok(name in state);
        await sleep(50);
        assert.ok(child.is_running);
    }
});

test('the services say their version and refuse words that they do not know', async () => {
    for (const program of ['tiktrend-gateway', 'tiktrend-worker', 'tiktrend']) {
        const ask = async (word) => {
            const child = new Child(program, [path.join(programs, program), word], { log: path.join(site.dir, `${program}${word}.log`) });
            return [await child.ended(5000), child.log()];
        };
        assert.deepEqual(await ask('--version'), [0, `${program} 0.1.0\n`]);
        assert.equal((await ask('--help'))[0], 0);
        assert.equal((await ask('--nonsense'))[0], 2);
    }
});

test('what is wrong with the settings is said at start, all of it, with status 2', async () => {
    const cases = [
        ['tiktrend-worker', { SPOT_NOTICE: 'ibm', SENTRY_DSN: 'nonsense', POD_DELETION_COST: 'on' }, ['SPOT_NOTICE', 'SENTRY_DSN', 'POD_NAME', 'POD_NAMESPACE']],
        ['tiktrend-worker', { SPOT_METADATA_URL: 'ftp://x', REDIS_QUEUE_URL: 'redis+sentinel://a' }, ['SPOT_METADATA_URL', 'REDIS_QUEUE_URL']],
        ['tiktrend-gateway', { CURSOR_SECRET: 'short', SENTRY_DSN: 'nonsense' }, ['CURSOR_SECRET', 'SENTRY_DSN']],
        ['tiktrend-gateway', { REDIS_CACHE_URL: 'redis+cluster://a:1' }, ['REDIS_CACHE_URL']],
    ];
    let n = 0;
    for (const [program, env, names] of cases) {
        const child = new Child(program, [path.join(programs, program)], { log: path.join(site.dir, `mistake${n++}.log`), env: { ...site.common, ...env } });
        assert.equal(await child.ended(5000), 2, child.log());
        for (const name of names) assert.ok(child.log().includes(name), `${name} is named in: ${child.log()}`);
        assert.ok(!child.log().includes('nonsense'), 'secrets are not printed');
    }
});

test('programs that never reached a server leave when they are told to', async () => {
    const nowhere = { REDIS_QUEUE_URL: 'redis://127.0.0.1:1', REDIS_CACHE_URL: 'redis://127.0.0.1:1', DATABASE_URL: 'postgresql://127.0.0.1:1/x' };
    const gateway = await site.start_gateway({ ...nowhere, LAME_DUCK: '100ms' }, { wait: false });
    const worker = await site.start_worker(nowhere, { wait: false });
    await until('the worker says what it waits for', () => worker.lines().some((l) => l.event === 'waiting' && l.for === 'the database'));
    await until('the gateway says what it misses', () => gateway.log().includes('redis_connect_failed'));
    await until('so does its health', async () => {
        const r = await site.get('/health', { of: gateway });
        return r.status === 503 && ['redis_queue', 'postgresql'].every((d) => r.json.dependencies[d].status === 'down');
    });
    const exits = {};
    for (const child of [gateway, worker]) {
        const at = Date.now();
        child.signal('SIGTERM');
        assert.equal(await child.ended(10_000), 0, child.log().slice(-1000));
        exits[child.name] = child.ended_at - at;
    }
    report('nobody there', Object.fromEntries(Object.entries(exits).map(([k, v]) => [`${k} exits ms`, v])));
});

test('a clock that is an hour off is said in the log, in readiness and in health', { skip: !faketime && 'libfaketime is not installed' }, async (t) => {
    const off = (offset) => ({ LD_PRELOAD: faketime, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' });
    const worker = await site.start_worker(off('-1h'));
    const gateway = await site.start_gateway(off('+1h'));
    t.after(() => gateway.kill());
    for (const child of [worker, gateway]) await until(`${child.name} says it`, () => child.lines().some((l) => l.event === 'clocks_differ' && /360\d s|3599 s/.test(l.error)));
    const ready = await site.get('/health/ready', { of: worker });
    assert.equal(ready.status, 503);
    assert.match(ready.json.checks.clock.detail, /behind that of Redis/);
    const health = await site.get('/health', { of: gateway });
    assert.deepEqual([health.json.status, health.json.dependencies.clock.status], ['degraded', 'down']);
    const difference = /redis_clock_difference_seconds\{role="queue"\} (\S+)/.exec((await site.get(gateway.metrics_url)).text)?.[1];
    assert.ok(Math.abs(Number(difference) - 3600) < 5, difference);
});

test('secrets that are missing or wrong are named at start', async (t) => {
    const gateway = await site.start_gateway({ CURSOR_SECRET: '' });
    t.after(() => gateway.kill());
    assert.match(gateway.lines().find((l) => l.event === 'cursor_secret_is_random').effect, /set CURSOR_SECRET/);
    const wrong = await site.start_worker({ DATABASE_URL: site.database.url().replace('postgres@', 'nobody:wrong@') }, { wait: false });
    const said = await until('the worker says why the database refuses', () => wrong.lines().find((l) => l.event === 'waiting'));
    assert.match(said.reason, /nobody/);
    assert.ok(!wrong.log().includes('wrong@'), 'the password is not printed');
    await site.queue.client.config('SET', 'requirepass', 'a-secret');
    await site.queue.client.auth('a-secret');
    try {
        const locked_out = await site.start_gateway({}, { wait: false });
        await until('the gateway says that Redis wants a password', () => /NOAUTH/.test(locked_out.log()));
        await locked_out.kill();
    } finally {
        await site.queue.client.config('SET', 'requirepass', '');
    }
});

test('without its servers a gateway starts, says what it misses, and serves once they are there', async () => {
    await site.queue.stop();
    const gateway = await site.start_gateway({}, { wait: false });
    const health = await until('health says so', async () => {
        const r = await site.get('/health', { of: gateway });
        return r.status === 503 && r.json;
    });
    assert.equal(health.dependencies.redis_queue.status, 'down');
    assert.equal(health.dependencies.postgresql.status, 'ok');
    assert.equal((await site.get('/health/live', { of: gateway })).status, 200);
    assert.equal((await site.scrape({ of: gateway })).status, 503);
    await site.queue.start();
    await until('it is ready', async () => (await site.get('/health/ready', { of: gateway })).status === 200);
    await until('it accepts', async () => (await site.scrape({ of: gateway })).status === 202);
    await gateway.kill();
});
