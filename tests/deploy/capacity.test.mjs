// tools/capacity: the page is what the inputs give, and the model answers as it should when they change.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { breaks, price, size } from '../../tools/capacity/model.mjs';
import { read, root } from './lib/project.mjs';

const inputs = JSON.parse(read('tools/capacity/inputs.json'));
const program = join(root, 'tools/capacity/capacity.mjs');
const run = (...args) => spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
const changed = (change) => {
    const copy = structuredClone(inputs);
    change(copy);
    return copy;
};

test('docs/capacity.md and its chart are what the inputs give', () => {
    const out = run('--check');
    assert.equal(out.status, 0, out.stderr);
});

test('a changed input is noticed', () => {
    const dir = mkdtempSync(join(tmpdir(), 'tiktrend-capacity.'));
    try {
        const file = join(dir, 'inputs.json');
        writeFileSync(file, JSON.stringify(changed((i) => { i.prices.node.value = 99; })));
        assert.equal(run('--inputs', file, '--check').status, 2);
    } finally {
        rmSync(dir, { recursive: true });
    }
});

test('what is called measured is what docs/benchmarks.md says, within a factor of two', () => {
    const rows = { cached_get_us: ['cached GET /products', 'server CPU'], post_us: ['POST /scraping/start', 'server CPU'], redis_add_us: ['add, single calls', 'Redis time'], redis_process_us: ['process jobs that do nothing', 'Redis time'], page_us: ['the same, 5 % changed', 'worker CPU'] };
    const lines = read('docs/benchmarks.md').split('\n');
    for (const [name, [row, part]] of Object.entries(rows)) {
        const at = lines.findIndex((l) => l.startsWith('|') && l.includes(row));
        assert.ok(at >= 0, row);
        const line = lines.slice(at + 1).find((l) => l.includes(part));
        const measured = Number(line.split('|')[3].replaceAll(',', ''));
        const used = inputs.costs[name].value;
        assert.equal(inputs.costs[name].kind, 'measured');
        assert.ok(used / measured <= 2 && measured / used <= 2, `${name}: ${used}, but docs/benchmarks.md has ${measured}: change tools/capacity/inputs.json and run capacity.mjs --write`);
    }
});

test('limits are those of the manifests', () => {
    const hpa = (name) => read(`deploy/k8s/components/hpa/${name}.yaml`);
    assert.match(hpa('scraper-workers'), new RegExp(`minReplicas: ${inputs.limits.workers_min.value}\\n  maxReplicas: ${inputs.limits.workers_max.value}\\n`));
    assert.match(hpa('api-server'), new RegExp(`minReplicas: ${inputs.limits.gateways_min.value}\\n  maxReplicas: ${inputs.limits.gateways_max.value}\\n`));
    assert.match(read('deploy/k8s/base/gateway.env'), new RegExp(`^GATEWAY_THREADS=${inputs.limits.gateway_threads.value}$`, 'm'));
    assert.match(read('deploy/k8s/base/worker.env'), new RegExp(`^WORKER_CONCURRENCY=${inputs.limits.worker_slots.value}$`, 'm'));
});

test('more users never need or cost less', () => {
    let last = { total: 0 };
    let before = size(1, inputs);
    for (let n = 1; n < 1e7; n = Math.ceil(n * 1.3)) {
        const s = size(n, inputs);
        for (const part of ['gateways', 'workersPeak', 'primaryCores', 'shards', 'regions', 'storageGb', 'queueGb']) assert.ok(s[part] >= before[part], `${part} at ${n}`);
        const p = price(s, inputs);
        assert.ok(p.total >= last.total, `cost at ${n}`);
        [last, before] = [p, s];
    }
});

test('Little: slots are jobs a second times the seconds of a job', () => {
    const s = size(10000, inputs);
    assert.ok(Math.abs(s.slots - s.jobs * inputs.users.pages_per_job.value * inputs.costs.page_seconds.value) < 1e-9);
    assert.ok(s.workersPeak * inputs.limits.worker_slots.value >= s.slots);
});

test('a part that costs more breaks earlier', () => {
    const first = (list, what) => list.find(([name]) => name.startsWith(what))[1];
    const slow = changed((i) => { i.costs.redis_add_us.value *= 100; });
    assert.ok(first(breaks(slow), 'Redis') < first(breaks(inputs), 'Redis'));
    for (const [what, at] of breaks(inputs)) assert.ok(at > 0, what);
});

test('an input that is no number is refused', () => {
    assert.throws(() => size(100, changed((i) => { i.costs.page_us.value = 'much'; })), /costs.page_us/);
    assert.equal(run('--users', 'many').status, 2);
});
