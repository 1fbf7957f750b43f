// Scenarios 23 to 25 of the fault list (tests/fault/README.md): shops that misbehave, clients that abuse the gateway, the depth that scales the fleet.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { after, before, beforeEach, test } from 'node:test';
import { Child, free_port, is_long, programs, root, sleep, until } from './lib/children.mjs';
import { check_invariants, report } from './lib/invariants.mjs';
import { Site, base, resources } from './lib/site.mjs';

const site = new Site();
before(() => site.start({ gateway: { HTTP_HEADER_TIMEOUT: is_long ? '10s' : '2s' } }));
beforeEach(() => site.reset());
after(() => site.end());

const depth = 'bullmq_queue_depth{queue="scraping"}';
const has = (name) => { try { execFileSync('which', [name], { stdio: 'ignore' }); return true; } catch { return false; } };

test('23: what shops do to us ends in time, and a storm of 429 does not scale the fleet', async () => {
    const faults = [{ kind: 'status', status: 503 }, { kind: 'drip', delay_ms: 100 }, { kind: 'hang' }, { kind: 'huge' }, { kind: 'endless' },
        { kind: 'redirect_loop' }, { kind: 'reset' }, { kind: 'bad_json' }, { kind: 'gzip_bomb' }, { kind: 'empty' }];
    const limit_ms = 1500;
    const worker = await site.start_worker({ FETCH_TOTAL_TIMEOUT: `${limit_ms}ms`, FETCH_FIRST_BYTE_TIMEOUT: '700ms', FETCH_TRIES: '1', FETCH_MAX_BODY: '1MiB', FETCH_ALLOW: `${site.shop_url.slice(7)},${site.shop_url.slice(7).replace('127.0.0.1', 'localhost')}`,
        BLOCKED_COOL_DOWN: '0ms', RATE_LIMIT_WAIT: '0ms' });
    const took = {};
    const failed = new Set();
    for (const fault of faults) {
        await site.well_shop();
        await site.shop_rule(fault);
        const [id] = await site.scrapes(1, { attempts: 1 });
        failed.add(id);
        const start = await until('it starts', () => site.log.times('active', id)[0]);
        const end = await until(`a job ends in spite of ${fault.kind}`, () => site.log.entries.find((e) => e.jobId === id && ['failed', 'completed', 'delayed'].includes(e.event))?.at, 20_000);
        took[fault.kind] = end - start;
        assert.ok(end - start <= limit_ms + 1000, `${fault.kind} took ${end - start} ms`);
    }
    assert.ok(worker.is_running, 'none of it hurt the worker');
    const rss_kib = resources(worker).rss_kib;
    assert.ok(rss_kib < 200 * 1024, `the worker holds ${rss_kib} KiB`);
    await site.well_shop();
    await site.until_quiet();
    await site.shop_rule({ kind: 'status', status: 429, retry_after: 6 });
    const stormed = await site.scrapes(20);
    await until('all are put off', async () => (await site.queue.client.zcard(base + 'delayed')) === 20);
    const put_off_at = Date.now();
    const elsewhere = site.shop_url.replace('127.0.0.1', 'localhost'); // the same shop by another name: another host to the worker
    await site.well_shop();
    const [other] = await site.scrapes(1, { filters: { shop: elsewhere } });
    await until('a job of another host ends meanwhile', async () => (await site.queue.client.zscore(base + 'completed', other)) !== null, 4000);
    await until('the depth is 0 while 20 jobs are put off', async () => {
        assert.equal(await site.queue.client.zcard(base + 'delayed') > 0 || Date.now() - put_off_at > 5000, true);
        return (await site.metric(site.gateway, depth)) === 0;
    }, 7000);
    for (const id of stormed) assert.equal(await site.field(id, 'atm'), null, 'a 429 spends no attempt');
    await until('they end', async () => (await site.queue.client.zcard(base + 'delayed')) === 0, 90_000);
    await site.until_quiet();
    await until('the log has heard of their second starts', () => stormed.every((id) => site.log.times('active', id).length > 1));
    // The host's rest is counted from its first 429; who meets it later waits for what is left.
    const first_no = Math.min(...stormed.map((id) => site.log.times('delayed', id)[0]));
    const rest = Math.min(...stormed.map((id) => site.log.times('active', id)[1])) - first_no;
    assert.ok(rest >= 6000 - 50, `the host was asked again ${rest} ms after a 429 that said 6 s`);
    report(23, { ...(await check_invariants(site, { may_fail: failed })), 'longest ms': Math.max(...Object.values(took)), 'asked again after ms': rest });
});

/// Opens `n` sockets that send a byte of a header now and then; how long each lived.
async function slow_sockets(port, n) {
    const lives = [];
    await Promise.all(Array.from({ length: n }, () => new Promise((resolve) => {
        const start = Date.now();
        const socket = net.connect(port, '127.0.0.1', () => socket.write('GET /products HTTP/1.1\r\nHost: x\r\nX-A: '));
        const drip = setInterval(() => socket.writable && socket.write('a'), 300);
        socket.on('data', () => {});
        socket.on('error', () => {});
        socket.on('close', () => { clearInterval(drip); lives.push(Date.now() - start); resolve(); });
    })));
    return lives;
}

const raw = (port, text) => new Promise((resolve) => {
    let answer = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (d) => { answer += d; });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
    setTimeout(() => socket.destroy(), 5000);
});

test('24: slow, broken and smuggling clients are shown out, others do not notice', async () => {
    await site.start_worker();
    await site.scrapes(1);
    await site.until_quiet();
    const { port } = site.gateway;
    const fds = site.gateway.fds();
    const sockets = is_long ? 5000 : 300;
    const slow = slow_sockets(port, sockets);
    const latencies = [];
    let is_over = false, bad = 0;
    const valid = (async () => {
        while (!is_over) {
            const start = Date.now();
            if ((await site.get('/products')).status !== 200) bad++;
            latencies.push(Date.now() - start);
            await sleep(5);
        }
    })();
    const flood = (async () => {
        while (!is_over) {
            const s = net.connect(port, '127.0.0.1', () => s.resetAndDestroy());
            s.on('error', () => {});
            await sleep(5);
        }
    })();
    const big = await raw(port, `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(200_000)}\r\n\r\n`);
    assert.match(big, /^HTTP\/1\.1 (400|431)/);
    const smuggled = await raw(port, 'POST /scraping/start HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(smuggled, /^HTTP\/1\.1 400/);
    assert.equal(smuggled.match(/HTTP\/1\.1/g).length, 1, 'what came behind was not answered');
    const lives = await slow;
    is_over = true;
    await Promise.all([valid, flood]);
    const limit = (is_long ? 10_000 : 2000) + 1500;
    assert.ok(Math.max(...lives) <= limit, `a slow socket lived ${Math.max(...lives)} ms`);
    latencies.sort((a, b) => a - b);
    const p99 = latencies[Math.floor(latencies.length * 0.99)];
    assert.equal(bad, 0);
    assert.ok(p99 < 200, `p99 of others is ${p99} ms`);
    const rss_kib = resources(site.gateway).rss_kib;
    assert.ok(rss_kib < 300 * 1024);
    await until('I10: as many descriptors as before', () => site.gateway.fds() <= Math.ceil(fds * 1.05) + 4);
    report(24, { sockets, 'longest life ms': Math.max(...lives), requests: latencies.length, 'p99 ms': p99, 'RSS KiB': rss_kib });
});

/// GETs over keep-alive connections through the front; anything but a 200 is a violation.
function steady_load(port, per_second) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
    const seen = { good: 0, bad: [] };
    let is_over = false;
    const one = () => new Promise((resolve) => {
        const r = http.get({ port, host: '127.0.0.1', path: '/products', agent, headers: { authorization: `Bearer ${site.key}` } }, (answer) => {
            answer.resume();
            answer.on('end', () => { answer.statusCode === 200 ? seen.good++ : seen.bad.push(answer.statusCode); resolve(); });
        });
        r.on('error', (e) => { seen.bad.push(e.code); resolve(); });
    });
    const running = (async () => {
        const open = new Set();
        while (!is_over) {
            const p = one().finally(() => open.delete(p));
            open.add(p);
            await sleep(1000 / per_second);
        }
        await Promise.all(open);
    })();
    seen.stop = async () => { is_over = true; await running; agent.destroy(); return seen; };
    return seen;
}

/// haproxy in front of gateways on two ports, with the configuration of deploy/.
async function start_front(ports) {
    const front = await free_port();
    const file = path.join(site.dir, `haproxy-${front}.cfg`);
    fs.writeFileSync(file, fs.readFileSync(path.join(root, 'deploy/haproxy/haproxy.cfg'), 'utf8')
        .replace('bind :8000', `bind 127.0.0.1:${front}`).replace('127.0.0.1:8080', `127.0.0.1:${ports[0]}`).replace('127.0.0.1:8081', `127.0.0.1:${ports[1]}`));
    const haproxy = new Child('haproxy', ['haproxy', '-db', '-f', file], { log: path.join(site.dir, `haproxy-${front}.log`) });
    await until('haproxy answers', async () => {
        const r = await site.get('/health/ready', { of: { url: `http://127.0.0.1:${front}` } });
        if (r.status !== 200) throw new Error(`${r.status} ${r.text} ${haproxy.log()}`);
        return true;
    });
    return { haproxy, front };
}

test('24: gateways restarted one by one behind haproxy answer every request', { skip: !has('haproxy') && 'haproxy is not installed' }, async (t) => {
    const env = { LAME_DUCK: '1s' };
    const ports = [await free_port(), await free_port()];
    const start = (i) => site.start_gateway({ ...env, GATEWAY_PORT: String(ports[i]) });
    let gateways = await Promise.all([start(0), start(1)]);
    const { haproxy, front } = await start_front(ports);
    t.after(async () => { await haproxy.kill(); await Promise.all(gateways.map((g) => g.kill())); });
    await sleep(1000); // both are seen
    const load = steady_load(front, is_long ? 500 : 150);
    for (let round = 0; round < (is_long ? 5 : 1); round++)
        for (const i of [0, 1]) {
            const old = gateways[i];
            old.signal('SIGTERM');
            assert.equal(await old.ended(15_000), 0);
            gateways[i] = await start(i);
            await sleep(1000); // the front sees it
        }
    const seen = await load.stop();
    assert.deepEqual(seen.bad, [], 'no client saw a 5xx or a reset (I8)');
    report(24, { 'requests over the restarts': seen.good, bad: seen.bad.length });
});

test('24: a blue-green switch answers every request, and a version that does not get ready changes nothing',
    { skip: !has('haproxy') && 'haproxy is not installed' }, async (t) => {
        const [blue, green, m1, m2] = await Promise.all(Array.from({ length: 4 }, () => free_port()));
        const state = path.join(site.dir, 'blue-green');
        const env = { ...process.env, ...site.common, CURSOR_SECRET: 'a secret of the tests', LAME_DUCK: '1s', DRAIN_TIMEOUT: '5s', ACCESS_LOG: 'false', RATE_LIMIT_READ: 'off',
            BLUE_PORT: String(blue), GREEN_PORT: String(green), BLUE_METRICS_PORT: String(m1), GREEN_METRICS_PORT: String(m2) };
        const change = (...words) => promisify(execFile)(path.join(root, 'tools/blue-green'), ['--state', state, '--program', path.join(programs, 'tiktrend-gateway'),
            '--settle', '1', ...words], { env, encoding: 'utf8' });
        t.after(() => change('--stop').catch(() => {}));
        const live = () => fs.readFileSync(path.join(state, 'live'), 'utf8').trim();
        await change();
        assert.equal(live(), 'blue');
        const { haproxy, front } = await start_front([blue, green]);
        t.after(() => haproxy.kill());
        const load = steady_load(front, 100);
        await change();
        assert.equal(live(), 'green');
        await assert.rejects(change('--program', '/bin/false', '--ready', '2'), /blue does not get ready; green is still live/);
        assert.equal(live(), 'green');
        await change();
        assert.equal(live(), 'blue');
        const seen = await load.stop();
        assert.deepEqual(seen.bad, []);
        assert.ok(seen.good > 100);
        report('blue-green', { switches: 2, 'requests meanwhile': seen.good, bad: seen.bad.length });
    });

test('25: the depth that scales the fleet: same of two gateways, absent without Redis, none while paused', async () => {
    const second = await site.start_gateway();
    await site.slow_shop(60_000);
    const worker = await site.start_worker();
    await site.scrapes(25);
    await site.until_active(10);
    for (const g of [site.gateway, second])
        await until('both show 25', async () => (await site.metric(g, depth)) === 25, 8000); // counted once in each, and the adapter takes max
    await site.queue.client.hset(base + 'meta', 'paused', '1');
    await until('what waits in a paused queue asks for nobody', async () => (await site.metric(second, depth)) === 10, 8000);
    await site.queue.client.hdel(base + 'meta', 'paused');
    await site.queue.kill();
    for (const g of [site.gateway, second])
        await until('absent, not 0 and not old', async () => (await site.metric(g, depth)) === undefined, 8000);
    assert.equal(await site.metric(second, 'queue_metrics_up'), 0);
    await second.kill();
    await worker.kill();
    await site.queue.start();
    await site.reset();
    report(25, { gateways: 2, depth: 25 });
});
