// deploy/prometheus: configuration, rules and alerts, by Debian's promtool.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import YAML from 'yaml';
import { documents } from './lib/kustomize.mjs';
import { exists, read, root } from './lib/project.mjs';
import { documentedMetrics, metricsIn, queryProblems } from './lib/promql.mjs';

const rulesDir = join(root, 'deploy/prometheus/rules');
const testsDir = join(root, 'tests/deploy/prometheus');
const groups = readdirSync(rulesDir).sort().flatMap((f) => documents(read(`deploy/prometheus/rules/${f}`), f)[0].groups);
const alerts = groups.flatMap((g) => g.rules).filter((r) => r.alert);

function promtool(...args) {
    const out = spawnSync('promtool', args, { encoding: 'utf8' });
    if (out.error) throw new Error('promtool is missing: tools/setup installs it');
    return { status: out.status, text: out.stdout + out.stderr };
}

test('promtool accepts the configuration and the rules', () => {
    const checked = promtool('check', 'config', '--lint=all', '--lint-fatal', join(root, 'deploy/prometheus/prometheus.yml'));
    assert.equal(checked.status, 0, checked.text);
    assert.match(checked.text, /\d+ rules found/);
});

for (const file of readdirSync(testsDir).filter((f) => f.endsWith('.test.yml'))) {
    test(`${file}: alerts fire when they should, and only then`, () => {
        const dir = mkdtempSync(join(tmpdir(), 'tiktrend-alerts.'));
        try {
            copyFileSync(join(rulesDir, 'recording.yml'), join(dir, 'recording.yml'));
            copyFileSync(join(testsDir, file), join(dir, file));
            // The texts are looked at below; here they would be repeated in each expectation.
            const bare = YAML.parse(read('deploy/prometheus/rules/alerts.yml'));
            for (const r of bare.groups.flatMap((g) => g.rules)) delete r.annotations;
            writeFileSync(join(dir, 'alerts.yml'), YAML.stringify(bare));
            const out = promtool('test', 'rules', join(dir, file));
            assert.equal(out.status, 0, out.text);
        } finally {
            rmSync(dir, { recursive: true });
        }
    });
}

test('every alert has a test in which it fires', () => {
    const expectations = readdirSync(testsDir).flatMap((f) => YAML.parse(read(`tests/deploy/prometheus/${f}`)).tests).flatMap((t) => t.alert_rule_test);
    for (const { alert } of alerts) assert.ok(expectations.some((e) => e.alertname === alert && e.exp_alerts.length), `${alert} fires nowhere`);
});

test('every alert says what to do', () => {
    for (const r of alerts) {
        assert.ok(['page', 'ticket', 'info'].includes(r.labels.severity), r.alert);
        assert.ok(r.annotations.summary && r.annotations.description, r.alert);
        assert.ok(exists(r.annotations.runbook), `${r.alert}: ${r.annotations.runbook} does not exist`);
        // Of the burn rates, which objectives.md lists, a page names the fastest.
        const named = r.alert.replace(/Budget(Steady|Slow|Trickle)$/, 'BudgetFast');
        assert.ok(read(r.annotations.runbook).includes(named), `${r.annotations.runbook} does not know ${named}`);
    }
});

test('rules use metrics that docs/metrics.md lists', () => {
    const recorded = new Set(groups.flatMap((g) => g.rules).map((r) => r.record).filter(Boolean));
    const known = new Set([...documentedMetrics(), ...recorded, 'up']);
    for (const r of groups.flatMap((g) => g.rules)) {
        for (const m of metricsIn(r.expr)) assert.ok(known.has(m), `${r.alert ?? r.record}: no metric ${m}`);
    }
});

test('numbers that every gateway exports are never added up', () => {
    const shared = /\bsum\b[^(]*\(\s*(?:by\s*\([^)]*\)\s*)?\(?\s*(bullmq_queue_\w+|bullmq_job_count|scraping_queue_depth|active_users|quota_usage)/;
    for (const r of groups.flatMap((g) => g.rules)) assert.doesNotMatch(r.expr, shared, r.alert ?? r.record);
});

test('the rule for the Prometheus operator is made of the same rules', () => {
    const [made] = documents(execFileSync(process.execPath, [join(root, 'tests/deploy/make-prometheus-rule.mjs')], { encoding: 'utf8' }), 'made');
    const [kept] = documents(read('deploy/k8s/components/monitoring/prometheus-rule.yaml'), 'kept');
    assert.deepEqual(kept, made, 'node tests/deploy/make-prometheus-rule.mjs > deploy/k8s/components/monitoring/prometheus-rule.yaml');
});

test("what the autoscalers ask is PromQL, of metrics that exist", () => {
    const queries = [];
    const [adapter] = documents(read('deploy/k8s/addons/prometheus-adapter/rules.yaml'), 'rules.yaml');
    for (const { metricsQuery, seriesQuery } of [...adapter.rules, ...adapter.externalRules]) {
        const series = /__name__="(\w+)"|^(\w+)\{/.exec(seriesQuery).slice(1).find(Boolean);
        queries.push(seriesQuery, metricsQuery.replaceAll('<<.Series>>', series).replaceAll('<<.LabelMatchers>>', 'queue="scraping",namespace="tiktrend"').replaceAll('<<.GroupBy>>', 'pod'));
    }
    for (const o of documents(read('deploy/k8s/components/keda/scaled-objects.yaml'), 'keda')) {
        for (const t of o.spec.triggers) if (t.metadata.query) queries.push(t.metadata.query);
    }
    assert.ok(queries.length >= 8);
    assert.deepEqual(queryProblems(queries), []);
    for (const q of queries) for (const m of metricsIn(q)) assert.ok(documentedMetrics().has(m), m);
});
