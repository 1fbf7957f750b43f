// The product on servers of its own, for one file of scenarios: two Redis, PostgreSQL, a shop, a gateway, and what the
// scenarios start. reset() makes it as good as new between scenarios.
import fs from 'node:fs';
import path from 'node:path';
import { Child, programs, root, run, sleep, temp_dir, until } from './children.mjs';
import { PostgresServer, RedisServer } from './servers.mjs';
import { EventLog } from './event_log.mjs';

const all_scopes = 'read,scrape,copy,admin,metrics';
export const base = 'bull:scraping:';
export const shop_products = 40;

/// The shop's definition with room for more requests at once: these scenarios are about the queue, not about politeness.
function write_sources(dir) {
    const from = path.join(root, 'apps/worker/sources');
    const to = path.join(dir, 'sources');
    fs.mkdirSync(path.join(to, 'fixtures'), { recursive: true });
    const text = fs.readFileSync(path.join(from, 'demo.shop.yaml'), 'utf8');
    fs.writeFileSync(path.join(to, 'demo.shop.yaml'), text.replace('concurrency: 2', 'concurrency: 50'));
    fs.cpSync(path.join(from, 'fixtures/demo.shop'), path.join(to, 'fixtures/demo.shop'), { recursive: true });
    return to;
}

const ms_of = (duration) => (duration === undefined ? undefined : Number(/^\d+/.exec(duration)[0]) * (duration.endsWith('ms') ? 1 : 1000));

/// What a process holds: descriptors (its connections are among them) and memory.
export function resources(child) {
    return { fds: child.fds(), rss_kib: Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]) };
}

export class Site {
    constructor() {
        this.dir = temp_dir();
        this.children = [];
        this.count = 0;
    }
    /// `queue`: more words for its redis-server; `gateway`: more environment; `queue_url`: of another Redis than the site's own.
    async start({ queue = [], gateway = {}, queue_url, with_gateway = true } = {}) {
        const [queue_server, cache, database] = await Promise.all([
            new RedisServer(this.dir, 'queue', queue).start(), new RedisServer(this.dir, 'cache').start(),
            new PostgresServer(this.dir, 'postgres').create()]);
        Object.assign(this, { queue: queue_server, cache, database });
        database.sql('CREATE DATABASE tiktrend', 'postgres');
        this.common = { REDIS_QUEUE_URL: queue_url ?? this.queue.url, REDIS_CACHE_URL: cache.url, DATABASE_URL: database.url(),
            SOURCES_DIR: write_sources(this.dir), LOG_LEVEL: 'info' };
        const env = { ...process.env, ...this.common };
        run([path.join(programs, 'tiktrend'), 'migrate'], { env });
        this.key = /ttk_[A-Za-z0-9_.-]+/.exec(run([path.join(programs, 'tiktrend'), 'api-key', 'create', '--email', 'fault@example.test',
            '--scopes', all_scopes, '--json'], { env }))[0];
        await this.start_shop();
        if (with_gateway) this.gateway = await this.start_gateway(gateway);
        this.log = new EventLog(path.join(this.dir, 'events.jsonl'), () => this.queue.port);
        return this;
    }
    async start_shop() {
        const file = path.join(this.dir, 'shop.port');
        this.children.push(new Child('demo shop', [path.join(programs, 'tiktrend-demo-shop'), '--port', '0', '--products', String(shop_products),
            '--port-file', file], { log: path.join(this.dir, 'shop.log') }));
        await until('the shop listens', () => fs.existsSync(file));
        this.shop_url = `http://127.0.0.1:${fs.readFileSync(file, 'utf8').trim()}`;
    }
    gateway_environment(port_file) {
        return { ...this.common, GATEWAY_PORT: '0', METRICS_PORT: '0', GATEWAY_THREADS: '2', PORT_FILE: port_file, CURSOR_SECRET: 'a secret of the tests',
            LAME_DUCK: '300ms', DRAIN_TIMEOUT: '5s', ACCESS_LOG: 'false', RATE_LIMIT_SCRAPE: 'off', RATE_LIMIT_READ: 'off', QUOTA_SCRAPES: 'off',
            HTTP_MAX_CONNECTIONS_PER_ADDRESS: '0' };
    }
    worker_environment(port_file) {
        return { ...this.common, METRICS_PORT: '0', PORT_FILE: port_file, FETCH_ALLOW: this.shop_url.slice(7), FETCH_MAX_PER_HOST: '50', FETCH_RETRY_BASE: '20ms',
            LOCK_DURATION: '2s', STALLED_INTERVAL: '1s', DRAIN_DELAY: '1s', DRAIN_TIMEOUT: '10s', OBEY_ROBOTS: 'false', TREND_REFRESH: '0s' };
    }
    async start_gateway(env = {}, { wait = true, netns, address = '127.0.0.1' } = {}) {
        const n = ++this.count;
        const file = path.join(this.dir, `gateway${n}.port`);
        const child = new Child(`gateway ${n}`, [path.join(programs, 'tiktrend-gateway')], { log: path.join(this.dir, `gateway${n}.log`),
            env: { ...this.gateway_environment(file), GATEWAY_ADDRESS: address, METRICS_ADDRESS: address, ...env }, netns });
        this.children.push(child);
        await until(`${child.name} listens`, () => {
            if (!child.is_running) throw new Error(child.log());
            return fs.existsSync(file);
        });
        const ports = Object.fromEntries(fs.readFileSync(file, 'utf8').trim().split('\n').map((l) => l.split('=')));
        child.url = `http://${address}:${ports.GATEWAY_PORT}`;
        child.port = Number(ports.GATEWAY_PORT);
        child.metrics_url = `http://${address}:${ports.METRICS_PORT}/metrics`;
        if (wait) await until(`${child.name} is ready`, async () => (await this.get('/health/ready', { of: child })).status === 200);
        return child;
    }
    async start_worker(env = {}, { wait = true, wrap = [] } = {}) {
        const n = ++this.count;
        const recovers_in = (ms_of(env.LOCK_DURATION) ?? 2000) + (ms_of(env.STALLED_INTERVAL) ?? 1000);
        this.recovery_ms = Math.max(this.recovery_ms ?? 0, recovers_in);
        const file = path.join(this.dir, `worker${n}.port`);
        const child = new Child(`worker ${n}`, [...wrap, path.join(programs, 'tiktrend-worker')], { log: path.join(this.dir, `worker${n}.log`),
            env: { ...this.worker_environment(file), WORKER_NAME: `w${n}`, ...env } });
        this.children.push(child);
        if (wait) await until(`${child.name} is ready`, () => {
            if (!child.is_running) throw new Error(child.log());
            return child.log().includes('"worker_ready"');
        });
        if (fs.existsSync(file)) child.url = `http://127.0.0.1:${fs.readFileSync(file, 'utf8').trim().split('=')[1]}`;
        return child;
    }

    async request(method, where, { of = this.gateway, body, headers = {}, limit_ms = 15_000 } = {}) {
        const url = where.startsWith('http') ? where : of.url + where;
        try {
            const r = await fetch(url, { method, signal: AbortSignal.timeout(limit_ms),
                headers: { authorization: `Bearer ${this.key}`, ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
                body: body && JSON.stringify(body) });
            const text = await r.text();
            let json;
            try { json = JSON.parse(text); } catch { /* not JSON */ }
            return { status: r.status, headers: r.headers, text, json };
        } catch (e) {
            return { status: 0, headers: new Headers(), text: String(e.cause ?? e) };
        }
    }
    get(where, options) { return this.request('GET', where, options); }
    /// Starts a scrape; a 202 goes into the event log. The answer.
    async scrape({ filters = {}, headers, of, ...more } = {}) {
        const r = await this.request('POST', '/scraping/start', { of, headers,
            body: { source: 'demo.shop', filters: { shop: this.shop_url, per_page: 50, ...filters }, ...more } });
        if (r.status === 202) this.log.accepted(r.json.job_id);
        return r;
    }
    async scrapes(n, options) {
        const out = [];
        for (let i = 0; i < n; i++) {
            const r = await this.scrape(options);
            if (r.status !== 202) throw new Error(`POST answered ${r.status}: ${r.text}`);
            out.push(r.json.job_id);
        }
        return out;
    }
    async metric(child, name) {
        const text = (await this.get(child.metrics_url ?? child.url + '/metrics')).text;
        const line = text.split('\n').find((l) => l.startsWith(name + ' ') || (l.startsWith(name) && l[name.length] === '{'));
        return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
    }
    async shop_rule(rule) {
        const r = await fetch(`${this.shop_url}/_control`, { method: 'POST', body: JSON.stringify({ path: '/api/products', count: 1_000_000, ...rule }) });
        if (!r.ok) throw new Error(`the shop refused a rule: ${await r.text()}`);
    }
    slow_shop(delay_ms) { return this.shop_rule({ kind: 'slow', delay_ms }); }
    well_shop() { return fetch(`${this.shop_url}/_control`, { method: 'DELETE' }); }
    /// The next day: all products change.
    async next_day() { await fetch(`${this.shop_url}/_control/tick`, { method: 'POST' }); }

    active() { return this.queue.client.llen(base + 'active'); }
    async until_active(n) { await until(`${n} active jobs`, async () => (await this.active()) === n); }
    async until_quiet(limit_ms = 60_000) {
        await until('a quiet queue', async () => {
            const sizes = await Promise.all([this.queue.client.llen(base + 'wait'), this.queue.client.llen(base + 'active'),
                this.queue.client.zcard(base + 'prioritized'), this.queue.client.zcard(base + 'delayed')]);
            return sizes.every((n) => n === 0);
        }, limit_ms);
    }
    field(id, name) { return this.queue.client.hget(base + id, name); }

    /// What the last scenario left goes; the gateway stays.
    async reset() {
        await Promise.all(this.children.filter((c) => c.name.startsWith('worker')).map((c) => c.kill()));
        this.children = this.children.filter((c) => c.is_running);
        await this.well_shop();
        if (!this.queue.child.is_running) await this.queue.start();
        await this.queue.client.flushall();
        await this.cache.client.flushall();
        this.database.sql('TRUNCATE products, product_history, scrape_runs, page_cache CASCADE');
        await this.log.restart();
        this.recovery_ms = 0;
        this.baseline = this.gateway?.is_running ? { child: this.gateway, ...resources(this.gateway) } : undefined;
    }
    async end() {
        await this.log?.stop();
        await Promise.all(this.children.map((c) => c.kill()));
        await Promise.all([this.queue?.end(), this.cache?.end(), this.database?.end()]);
        if (!process.env.TIKTREND_KEEP) fs.rmSync(this.dir, { recursive: true, force: true });
        else console.log(`kept: ${this.dir}`);
        await sleep(0);
    }
}
