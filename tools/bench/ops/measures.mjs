// How quickly the programs come and go, and what it costs to be watched, on servers of a site's own. Used by the bench and by the
// test of the bounds.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { Child, programs, sleep, until } from '../../../tests/fault/scenarios/lib/children.mjs';

/// What operators were promised.
export const bounds = { ready_ms: 150, idle_exit_ms: 200, metrics_ms: 5, depth_every_s: 5 };
export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const agent = new http.Agent({ keepAlive: true });
const get = (url) => new Promise((resolve) => {
    const asked = http.get(url, { agent }, (answer) => {
        let text = '';
        answer.on('data', (d) => { text += d; });
        answer.on('end', () => resolve({ status: answer.statusCode, text }));
    });
    asked.on('error', () => resolve({ status: 0, text: '' }));
});

let count = 0;
/// Starts `gateway` or `worker`: from the start of the process to its first 200 for /health/ready, servers up. The child goes on.
async function start(site, kind) {
    const file = path.join(site.dir, `${kind}-measured-${++count}.port`);
    const begin = performance.now();
    const child = new Child(kind, [path.join(programs, `tiktrend-${kind}`)], { log: file.replace(/port$/, 'log'),
        env: kind === 'gateway' ? site.gateway_environment(file) : site.worker_environment(file) });
    const pause = () => new Promise((resolve) => setTimeout(resolve, 1));
    while (!fs.existsSync(file)) {
        if (!child.is_running) throw new Error(child.log());
        await pause();
    }
    const ports = Object.fromEntries(fs.readFileSync(file, 'utf8').trim().split('\n').map((l) => l.split('=')));
    const url = `http://127.0.0.1:${ports[kind === 'gateway' ? 'GATEWAY_PORT' : 'METRICS_PORT']}/health/ready`;
    while ((await get(url)).status !== 200) {
        if (performance.now() - begin > 30_000) throw new Error(`the ${kind} does not get ready: ${child.log()}`);
        await pause();
    }
    return { child, ms: performance.now() - begin };
}

/// Milliseconds from start to ready, and, of idle workers, from SIGTERM to exit.
export async function starts_and_exits(site, rounds) {
    const out = { gateway: [], worker: [], exit: [] };
    for (let i = 0; i < rounds; i++) {
        const gateway = await start(site, 'gateway');
        out.gateway.push(gateway.ms);
        await gateway.child.kill();
        const worker = await start(site, 'worker');
        out.worker.push(worker.ms);
        await sleep(300); // it waits for a job by now
        const at = performance.now();
        worker.child.signal('SIGTERM');
        const status = await worker.child.ended(10_000);
        out.exit.push(performance.now() - at);
        if (status !== 0) throw new Error(`an idle worker ended with ${status}: ${worker.child.log()}`);
    }
    return out;
}

/// Nine queues of others with a thousand jobs each, beside the product's own.
async function fill_queues(redis) {
    const names = Array.from({ length: 9 }, (_, i) => `other-${i}`);
    for (const name of names) {
        const ids = Array.from({ length: 1000 }, (_, i) => String(i + 1));
        await redis.rpush(`bull:${name}:wait`, ...ids.slice(0, 500));
        await redis.zadd(`bull:${name}:completed`, ...ids.slice(500).flatMap((id) => [1, id]));
        await redis.hset(`bull:${name}:500`, 'timestamp', String(Date.now()));
        await redis.hset(`bull:${name}:meta`, 'version', 'bullmq:6.7.0');
    }
    return names;
}

const script_calls = async (redis) => [...(await redis.info('commandstats')).matchAll(/cmdstat_eval\w*:calls=(\d+)/g)].reduce((sum, m) => sum + Number(m[1]), 0);

/// Milliseconds of an answer of /metrics that tells about ten queues: those that read them anew, and the others.
export async function metrics_of_ten_queues(site, seconds) {
    const redis = site.queue.client;
    const gateway = await site.start_gateway({ METRICS_QUEUES: (await fill_queues(redis)).join(',') });
    await until('all ten are told', async () => (await get(gateway.metrics_url)).text.match(/^bullmq_queue_depth\{/gm)?.length === 10);
    const out = { fresh: [], kept: [] };
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(20)) {
        const before = await script_calls(redis);
        const begin = performance.now();
        await get(gateway.metrics_url);
        const ms = performance.now() - begin;
        out[(await script_calls(redis)) > before ? 'fresh' : 'kept'].push(ms);
    }
    await gateway.kill();
    return out;
}

/// How many scripts a gateway of two threads runs in the queue's Redis while it is scraped ten times a second and does nothing else.
export async function depth_reads(site, seconds) {
    const redis = site.queue.client;
    const gateway = await site.start_gateway();
    await get(gateway.metrics_url);
    const before = await script_calls(redis);
    const end = Date.now() + seconds * 1000;
    while (Date.now() < end) {
        await get(gateway.metrics_url);
        await sleep(100);
    }
    const reads = (await script_calls(redis)) - before;
    await gateway.kill();
    return reads;
}
