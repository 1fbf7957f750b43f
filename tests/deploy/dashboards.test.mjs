// deploy/grafana: dashboards without a mistake that can be seen without data. With data: tests/e2e/dashboards_test.cpp.
import assert from 'node:assert/strict';
import test from 'node:test';
import YAML from 'yaml';
import { dashboard, names } from '../../deploy/grafana/make-dashboards.mjs';
import { exists, read } from './lib/project.mjs';
import { documentedMetrics, metricsIn, queryProblems } from './lib/promql.mjs';

test('the six dashboards are there, as they are described', () => {
    assert.deepEqual(names, ['queue', 'workers', 'api', 'scraping', 'cache', 'database']);
    for (const name of names) assert.deepEqual(JSON.parse(read(`deploy/grafana/dashboards/${name}.json`)), dashboard(name), 'node deploy/grafana/make-dashboards.mjs');
});

for (const name of names) {
    test(`${name}: every query is PromQL about metrics that docs/metrics.md lists`, () => {
        const queries = dashboard(name).panels.flatMap((p) => p.targets).map((t) => t.expr.replaceAll('$__rate_interval', '1m').replaceAll('$queue', '.*'));
        assert.ok(queries.length > 3);
        assert.deepEqual(queryProblems(queries), []);
        for (const query of queries) for (const m of metricsIn(query)) assert.ok(documentedMetrics().has(m), `${m} in ${query}`);
    });
    test(`${name}: panels do not overlap, and none is twice`, () => {
        const { panels } = dashboard(name);
        const taken = new Set();
        for (const { gridPos: g, title } of panels) {
            for (let x = g.x; x < g.x + g.w; ++x) for (let y = g.y; y < g.y + g.h; ++y) {
                assert.ok(x < 24 && !taken.has(`${x},${y}`), title);
                taken.add(`${x},${y}`);
            }
        }
        assert.equal(new Set(panels.map((p) => p.title)).size, panels.length);
    });
}

test('Grafana finds them where deploy/compose puts them', () => {
    const { services } = YAML.parse(read('deploy/compose/compose.yaml'), { merge: true });
    const [provider] = YAML.parse(read('deploy/grafana/provisioning/dashboards/tiktrend.yaml')).providers;
    assert.ok(services.grafana.volumes.some((v) => v === `../grafana/dashboards:${provider.options.path}:ro`));
    const [source] = YAML.parse(read('deploy/grafana/provisioning/datasources/prometheus.yaml')).datasources;
    assert.equal(source.uid, 'prometheus');
    assert.ok(services[new URL(source.url).hostname]);
    assert.ok(exists('deploy/grafana/dashboards/queue.json'));
});
