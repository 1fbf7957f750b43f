// What the Prometheus operator makes of our ServiceMonitors, on a real Prometheus: the labels that autoscalers, rules and dashboards ask
// for are there, and probes count nowhere.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import YAML from 'yaml';
import { documents, render } from './lib/kustomize.mjs';
import { read, root } from './lib/project.mjs';

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const listening = (server) => new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(server.address().port)); });

async function freePort() {
    const socket = createSocket();
    const port = await listening(socket);
    await new Promise((resolve) => { socket.close(resolve); });
    return port;
}

/** A gateway's metrics: ten requests for products between two scrapes, and a thousand probes. */
function gateway() {
    let scrapes = 0;
    return createServer((request, response) => {
        ++scrapes;
        response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
        response.end(['# TYPE http_requests_total counter',
            `http_requests_total{method="GET",endpoint="/products",status="200"} ${10 * scrapes}`,
            `http_requests_total{method="GET",endpoint="/health/serving",status="503"} ${1000 * scrapes}`,
            '# TYPE bullmq_queue_depth gauge', 'bullmq_queue_depth{queue="scraping"} 42', ''].join('\n'));
    });
}

/** A scrape configuration as the operator writes it for pods behind one service, with the monitor's own relabelings behind its own. */
function scrapeConfig(monitor, targets) {
    const snake = (o) => Object.fromEntries(Object.entries(o).map(([k, v]) => [k.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`), v]));
    const [endpoint] = monitor.spec.endpoints;
    const label = (name, value) => ({ target_label: name, replacement: value });
    return {
        job_name: `serviceMonitor/tiktrend/${monitor.metadata.name}/0`, honor_labels: endpoint.honorLabels ?? false, scrape_interval: '250ms', scrape_timeout: '250ms', metrics_path: endpoint.path,
        static_configs: targets.map((target, i) => ({ targets: [target], labels: { __meta_kubernetes_pod_name: `api-server-${i}` } })),
        relabel_configs: [
            label('namespace', 'tiktrend'), label('service', 'api-server-metrics'), { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
            label('container', 'gateway'), label('job', 'api-server-metrics'), label('endpoint', endpoint.port),
            ...endpoint.relabelings.map(snake),
        ],
    };
}

test('autoscalers get the requests of the routes, a pod at a time, and the depth once', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'tiktrend-operator.'));
    const gateways = [gateway(), gateway()];
    let prometheus;
    try {
        const targets = (await Promise.all(gateways.map(listening))).map((port) => `127.0.0.1:${port}`);
        const monitor = render(join(root, 'deploy/k8s/overlays/prometheus-adapter')).find((o) => o.kind === 'ServiceMonitor' && o.metadata.name === 'api-server');
        writeFileSync(join(dir, 'prometheus.yml'), YAML.stringify({ scrape_configs: [scrapeConfig(monitor, targets)] }));
        const port = await freePort();
        const log = join(dir, 'log');
        prometheus = spawn('sh', ['-c', `exec prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address=127.0.0.1:${port} >log 2>&1`], { cwd: dir });
        const ask = async (query) => {
            const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`).catch(() => undefined);
            return answer?.ok ? (await answer.json()).data.result : [];
        };
        const often = async () => Number((await ask('count(count_over_time(up{pod=~"api-server-.*"}[1m]) >= 8)'))[0]?.value[1] ?? 0);
        for (const end = Date.now() + 60_000; (await often()) < 2;) {
            assert.ok(prometheus.exitCode === null && Date.now() < end, readFileSync(log, 'utf8'));
            await pause(100);
        }
        const rules = documents(read('deploy/k8s/addons/prometheus-adapter/rules.yaml'), 'rules.yaml')[0];
        const filled = (rule, series, matchers, by) => rule.metricsQuery.replaceAll('<<.Series>>', series).replaceAll('<<.LabelMatchers>>', matchers).replaceAll('<<.GroupBy>>', by);

        const depth = await ask(filled(rules.externalRules[0], 'bullmq_queue_depth', 'queue="scraping",namespace="tiktrend"'));
        assert.deepEqual(depth.map((d) => [d.metric, d.value[1]]), [[{ queue: 'scraping' }, '42']]);
        const above = await ask(filled(rules.externalRules[1], 'bullmq_queue_depth', 'queue="scraping",namespace="tiktrend"'));
        assert.deepEqual(above.map((d) => [d.metric, d.value[1]]), [[{ queue: 'scraping' }, '22']]);

        const ratio = (value, of) => Number(value) / Number(of);
        const byRoute = await ask('sum(rate(http_requests_total{endpoint="/products"}[2m]))');
        assert.equal(byRoute.length, 1, 'no series has its route as label');
        const scrapes = byRoute[0].value[1];
        const requests = await ask(filled(rules.rules[0], 'http_requests_total', 'namespace="tiktrend",pod=~"api-server-.*"', 'pod'));
        assert.deepEqual(requests.map((r) => r.metric.pod).sort(), ['api-server-0', 'api-server-1']);
        const perSecond = requests.reduce((sum, r) => sum + Number(r.value[1]), 0);
        assert.ok(ratio(perSecond, scrapes) < 2, `${perSecond} a second of ${scrapes}: the probes count`);

        const keda = documents(read('deploy/k8s/components/keda/scaled-objects.yaml'), 'keda').flatMap((o) => o.spec.triggers.map((x) => x.metadata.query)).filter(Boolean);
        const asKeda = await Promise.all(keda.map((query) => ask(query)));
        assert.deepEqual(asKeda.map((a) => a.length), keda.map(() => 1));
        assert.ok(ratio(asKeda[keda.findIndex((query) => /http_requests/.test(query))][0].value[1], scrapes) < 2, 'the probes count for KEDA');
        const recorded = YAML.parse(read('deploy/prometheus/rules/recording.yml')).groups.flatMap((g) => g.rules).find((r) => r.record === 'tiktrend:http_errors:ratio_rate5m');
        assert.equal(Number((await ask(recorded.expr))[0].value[1]), 0, 'probes that say 503 spend the budget');
        t.diagnostic(`${Number(scrapes).toFixed(1)} requests a second for products, ${perSecond.toFixed(1)} seen by the adapter`);
    } finally {
        if (prometheus && prometheus.exitCode === null) {
            prometheus.kill('SIGTERM');
            await new Promise((resolve) => { prometheus.on('exit', resolve); });
        }
        for (const g of gateways) {
            g.closeAllConnections();
            g.close();
        }
        rmSync(dir, { recursive: true });
    }
});
