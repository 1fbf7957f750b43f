// Scenario 25 of the fault list (tests/fault/README.md) with the real loop: a Prometheus that scrapes the gateway, the autoscaler's controller
// and workers that it starts and stops. While nobody knows the depth the fleet stays as large as it is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Child, free_port, is_long, programs, sleep, until } from './lib/children.mjs';
import { check_invariants, report } from './lib/invariants.mjs';
import { Site, base } from './lib/site.mjs';

const has = (name) => { try { execFileSync('which', [name], { stdio: 'ignore' }); return true; } catch { return false; } };
const depth = 'bullmq_queue_depth{queue="scraping"}';
const speed = 100; // of the autoscaler: its five minutes before it shrinks are three seconds
const outage_ms = is_long ? 300_000 : 2 * (300_000 / speed); // both times the fleet would shrink if it could

const site = new Site();
before(() => site.start({ queue: ['--appendonly', 'yes', '--appendfsync', 'always'] }));
after(() => site.end());

class Prometheus {
    constructor(port) {
        Object.assign(this, { port, dir: path.join(site.dir, 'prometheus') });
        fs.mkdirSync(this.dir);
        fs.writeFileSync(path.join(this.dir, 'prometheus.yml'), `global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:\n` +
            `  - job_name: gateway\n    static_configs: [{ targets: ["${new URL(site.gateway.metrics_url).host}"] }]\n`);
    }
    get url() { return `http://127.0.0.1:${this.port}`; }
    async start() {
        this.child = new Child('prometheus', ['prometheus', `--config.file=${this.dir}/prometheus.yml`, `--storage.tsdb.path=${this.dir}/data`,
            `--web.listen-address=127.0.0.1:${this.port}`, '--log.level=warn'], { log: path.join(this.dir, 'log') });
        await until('Prometheus is ready', async () => {
            if (!this.child.is_running) throw new Error(this.child.log());
            return (await fetch(`${this.url}/-/ready`)).ok;
        });
    }
    async stop() {
        this.child.signal('SIGTERM');
        await this.child.ended(20_000);
    }
    /// The value of a query's only series; nothing if there is none.
    async value(query) {
        const r = await (await fetch(`${this.url}/api/v1/query?query=${encodeURIComponent(query)}`)).json();
        return r.data.result[0] && Number(r.data.result[0].value[1]);
    }
}

test('25: Redis killed, then Prometheus stopped: the fleet stays, and shrinks when the depth is known again',
    { skip: !has('prometheus') && 'prometheus is not installed' }, async (t) => {
        await site.reset();
        site.recovery_ms = 3000; // of workers that it did not start itself
        const prometheus = new Prometheus(await free_port());
        await prometheus.start();
        t.after(() => prometheus.child.kill());
        await until('Prometheus knows the depth', async () => (await prometheus.value(depth)) === 0);
        const dir = path.join(site.dir, 'fleet');
        const { PORT_FILE: _, METRICS_PORT: __, ...env } = site.worker_environment('');
        const controller = new Child('controller', [path.join(programs, 'tiktrend-autoscale-sim'), 'control', '--prometheus', prometheus.url, '--speed', String(speed),
            '--min', '1', '--max', '3', '--for', '1h', '--grace', '20s', '--directory', dir, '--', path.join(programs, 'tiktrend-worker')],
        { log: path.join(site.dir, 'controller.log'), env });
        t.after(() => controller.kill());
        const steps = () => [...controller.log().matchAll(/workers +(\d+) -> (\d+)/g)].map((m) => Number(m[2]));
        const logs = () => fs.readdirSync(dir).filter((f) => f.endsWith('.log')).map((f) => fs.readFileSync(path.join(dir, f), 'utf8'));
        const ready = () => logs().filter((l) => l.includes('"worker_ready"')).length;
        const drained = () => logs().filter((l) => l.includes('"draining"')).length;
        await until('the smallest fleet', () => ready() === 1);

        await site.slow_shop(3000);
        for (let i = 0; i < 25; i++) await site.scrapes(1, { filters: { per_page: 50 + i } }); // the same page would not be fetched twice at once
        await until('25 jobs ask for three workers', () => steps().at(-1) === 3);
        await until('they are there', () => ready() === 3);
        await site.queue.kill();
        await until('the gateway does not know the depth', async () => (await site.metric(site.gateway, depth)) === undefined, 10_000);
        await until('Prometheus knows none', async () => (await prometheus.value(depth)) === undefined, 10_000); // which is not a depth of 0
        await sleep(outage_ms);
        assert.deepEqual(steps(), [3], 'without a depth nothing is scaled');
        assert.equal(drained(), 0);

        await prometheus.stop();
        await site.queue.start();
        await until('the jobs are done', async () => (await site.queue.client.zcard(base + 'completed')) === 25, 180_000); // a slow shop is asked less and less
        await until('the gateway says 0', async () => (await site.metric(site.gateway, depth)) === 0, 10_000);
        await sleep(outage_ms);
        assert.deepEqual(steps(), [3], 'without Prometheus nothing is scaled');
        assert.equal(drained(), 0);

        await prometheus.start();
        const up_at = Date.now();
        await until('the smallest fleet again', () => steps().at(-1) === 1, 60_000);
        const shrunk_after = Date.now() - up_at;
        assert.deepEqual(steps(), [3, 2, 1], 'a fifth at a time');
        await until('two have drained', () => drained() === 2);
        await site.well_shop();
        await site.scrapes(3);
        await site.until_quiet();
        const counts = await check_invariants(site);
        controller.signal('SIGTERM');
        assert.equal(await controller.ended(30_000), 0, 'every worker ended in order');
        report(25, { ...counts, fleet: steps().join(' '), 'each outage ms': outage_ms, 'smallest again after ms': shrunk_after });
    });
