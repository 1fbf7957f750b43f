// Writes dashboards/*.json: `node deploy/grafana/make-dashboards.mjs`. A test compares, and another runs every query on a real
// Prometheus. A panel is one line here: title, unit, what it shows; what every gateway exports is aggregated with max.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const api = 'endpoint!~"/health.*|/metrics"';
const q = 'queue=~"$queue"';
const quantile = (p, name, by, match = '') =>
    `histogram_quantile(${p}, sum by (le${by ? `, ${by}` : ''}) (rate(${name}_bucket{${match}}[$__rate_interval])))`;

// [title, unit, [[query, legend], …], { stat: one number, max: top of the axis, warn: red from here }]
const dashboards = {
    queue: ['Queue', [
        ['Needs a slot now', 'short', [[`max by (queue) (bullmq_queue_depth{${q}})`, '{{queue}}']], { stat: 1, warn: 100 }],
        ['Oldest waiting', 's', [[`max by (queue) (bullmq_queue_oldest_waiting_seconds{${q}})`, '{{queue}}']], { stat: 1, warn: 300 }],
        ['Paused', 'bool', [[`max by (queue) (bullmq_queue_paused{${q}})`, '{{queue}}']], { stat: 1, warn: 1 }],
        ['Queue readable', 'bool', [['min(queue_metrics_up)', '']], { stat: 1 }],
        ['Depth: what the autoscaler sees', 'short', [[`max by (queue) (bullmq_queue_depth{${q}})`, 'needs a slot'], ['max(scraping_queue_depth)', 'not started'], ['sum(worker_concurrency)', 'slots']]],
        ['Jobs by state', 'short', [[`max by (state) (bullmq_job_count{${q}})`, '{{state}}']]],
        ['Finished', 'ops', [[`max by (queue) (rate(bullmq_job_completed_total{${q}}[$__rate_interval]))`, 'completed'], [`max by (queue) (rate(bullmq_job_failed_total{${q}}[$__rate_interval]))`, 'failed for good']]],
        ['Oldest waiting job', 's', [[`max by (queue) (bullmq_queue_oldest_waiting_seconds{${q}})`, '{{queue}}']]],
        ['Failed readings of the queue', 'ops', [['sum by (reason) (rate(queue_metrics_errors_total[$__rate_interval])) or vector(0)', '{{reason}}']]],
        ['Age of the last good reading', 's', [['time() - max(queue_metrics_last_success_timestamp_seconds)', '']]],
    ]],
    workers: ['Workers', [
        ['Workers', 'short', [['count(worker_concurrency)', '']], { stat: 1 }],
        ['Busy slots', 'percentunit', [['sum(worker_active_jobs) / sum(worker_concurrency)', '']], { stat: 1, warn: 0.95 }],
        ['Draining', 'short', [['sum(worker_draining)', '']], { stat: 1 }],
        ['Failed share', 'percentunit', [['sum(rate(worker_jobs_failed_total[15m])) / (sum(rate(worker_jobs_failed_total[15m])) + sum(rate(worker_jobs_completed_total[15m])))', '']], { stat: 1, warn: 0.1 }],
        ['Workers and what they do', 'short', [['count(worker_concurrency)', 'workers'], ['sum(worker_active_jobs)', 'running jobs'], ['sum(worker_draining)', 'draining']]],
        ['Length of a job', 's', [[quantile(0.5, 'bullmq_job_duration_seconds', 'name'), 'p50 {{name}}'], [quantile(0.95, 'bullmq_job_duration_seconds', 'name'), 'p95 {{name}}']]],
        ['How attempts end', 'ops', [['sum by (result) (rate(bullmq_job_duration_seconds_count[$__rate_interval]))', '{{result}}']]],
        ['Retried, postponed, released, stalled, lost', 'ops', ['retried', 'postponed', 'released', 'stalled', 'lost'].map((n) => [`sum(rate(bullmq_jobs_${n}_total[$__rate_interval]))`, n])],
        ['CPU', 'short', [['sum by (instance) (rate(process_cpu_seconds_total{job="worker"}[$__rate_interval]))', '{{instance}}']]],
        ['Memory', 'bytes', [['process_resident_memory_bytes{job="worker"}', '{{instance}}']]],
        ['Open files', 'short', [['process_open_fds{job="worker"} / process_max_fds{job="worker"}', '{{instance}}']], { max: 1 }],
    ]],
    api: ['API', [
        ['Requests', 'reqps', [[`sum(rate(http_requests_total{${api}}[$__rate_interval]))`, '']], { stat: 1 }],
        ['Server errors, last hour', 'percentunit', [[`(sum(rate(http_requests_total{${api},status=~"5.."}[1h])) or vector(0)) / sum(rate(http_requests_total{${api}}[1h]))`, '']], { stat: 1, warn: 0.001 }],
        ['p95', 's', [[quantile(0.95, 'http_request_duration_seconds', '', api), '']], { stat: 1, warn: 0.2 }],
        ['Active users', 'short', [['max(active_users)', '']], { stat: 1 }],
        ['Requests by endpoint', 'reqps', [[`sum by (method, endpoint) (rate(http_requests_total{${api}}[$__rate_interval]))`, '{{method}} {{endpoint}}']]],
        ['Requests by status', 'reqps', [[`sum by (status) (rate(http_requests_total{${api}}[$__rate_interval]))`, '{{status}}']]],
        ['Duration by endpoint, p95', 's', [[quantile(0.95, 'http_request_duration_seconds', 'endpoint', api), '{{endpoint}}']]],
        ['Duration, all', 's', [0.5, 0.95, 0.99].map((p) => [quantile(p, 'http_request_duration_seconds', '', api), `p${p * 100}`])],
        ['Connections', 'short', [['sum by (instance) (http_connections)', '{{instance}}']]],
        ['Counted against quotas today', 'short', [['max by (type) (quota_usage)', '{{type}}']]],
        ['CPU', 'short', [['sum by (instance) (rate(process_cpu_seconds_total{job="gateway"}[$__rate_interval]))', '{{instance}}']]],
        ['Memory', 'bytes', [['process_resident_memory_bytes{job="gateway"}', '{{instance}}']]],
    ]],
    scraping: ['Scraping', [
        ['Pages', 'ops', [['sum(rate(scrape_pages_total[$__rate_interval]))', '']], { stat: 1 }],
        ['Products found', 'ops', [['sum(rate(scrape_products_found_total[$__rate_interval]))', '']], { stat: 1 }],
        ['Good pages', 'percentunit', [['sum(rate(scrape_pages_total{outcome="ok"}[15m])) / sum(rate(scrape_pages_total[15m]))', '']], { stat: 1 }],
        ['Transfers now', 'short', [['sum(fetch_in_flight)', '']], { stat: 1 }],
        ['Pages by outcome', 'ops', [['sum by (outcome) (rate(scrape_pages_total[$__rate_interval]))', '{{outcome}}']]],
        ['Pages by source', 'ops', [['sum by (source) (rate(scrape_pages_total[$__rate_interval]))', '{{source}}']]],
        ['Products found and changed', 'ops', [['sum by (source) (rate(scrape_products_found_total[$__rate_interval]))', '{{source}} found'], ['sum by (source) (rate(scrape_products_changed_total[$__rate_interval]))', '{{source}} changed']]],
        ['Refused by shops', 'percentunit', [['(sum(rate(scrape_pages_total{outcome=~"blocked|rate_limited"}[15m])) or vector(0)) / sum(rate(scrape_pages_total[15m]))', '']], { max: 1 }],
        ['Fetches', 'ops', [['sum(rate(fetch_requests_total[$__rate_interval]))', 'sent'], ['sum(rate(fetch_responses_total[$__rate_interval]))', 'answered'], ['sum(rate(fetch_redirects_total[$__rate_interval]))', 'redirects']]],
        ['Failed fetches', 'ops', [['sum by (reason) (rate(fetch_failures_total[$__rate_interval]))', '{{reason}}']]],
        ['Bytes', 'Bps', [['sum(rate(fetch_received_bytes_total[$__rate_interval]))', 'received'], ['sum(rate(fetch_decoded_bytes_total[$__rate_interval]))', 'decoded']]],
        ['Transfers', 'short', [['sum(fetch_in_flight)', 'now'], ['sum(fetch_waiting)', 'waiting for a slot']]],
    ]],
    cache: ['Cache', [
        ['Hits', 'percentunit', [['sum(rate(cache_requests_total{result=~"hit.*|coalesced"}[$__rate_interval])) / sum(rate(cache_requests_total[$__rate_interval]))', '']], { stat: 1 }],
        ['Eviction policies', 'bool', [['min by (role) (redis_config_ok)', '{{role}}']], { stat: 1 }],
        ['Could not invalidate, last hour', 'short', [['sum(increase(cache_invalidation_failures_total[1h]))', '']], { stat: 1, warn: 1 }],
        ['Look-ups by result', 'ops', [['sum by (cache, result) (rate(cache_requests_total[$__rate_interval]))', '{{cache}} {{result}}']]],
        ['Answers offered to the cache', 'ops', [['sum by (cache, result) (rate(cache_fills_total[$__rate_interval]))', '{{cache}} {{result}}']]],
    ]],
    database: ['Database', [
        ['Waiting for a connection', 'short', [['sum(db_pool_connections{state="waiting"})', '']], { stat: 1, warn: 1 }],
        ['Replicas that serve', 'short', [['count(max by (replica) (db_replica_serving) == 1) or vector(0)', '']], { stat: 1 }],
        ['Connections in use', 'short', [['sum(db_pool_connections{state="in_use"})', '']], { stat: 1 }],
        ['Connections by program', 'short', [['sum by (job, state) (db_pool_connections)', '{{job}} {{state}}']]],
        ['Waiting by instance', 'short', [['sum by (job, instance) (db_pool_connections{state="waiting"})', '{{job}} {{instance}}']]],
        ['Replicas: how far behind', 's', [['max by (replica) (db_replica_lag_seconds)', '{{replica}}']]],
        ['Replicas: serving', 'bool', [['min by (replica) (db_replica_serving)', '{{replica}}']], { max: 1 }],
    ]],
};

const source = { type: 'prometheus', uid: '${datasource}' };

function panel([title, unit, targets, options = {}], id, at) {
    const thresholds = { mode: 'absolute', steps: [{ color: 'green', value: null }, ...(options.warn === undefined ? [] : [{ color: 'red', value: options.warn }])] };
    return {
        id, title, type: options.stat ? 'stat' : 'timeseries', datasource: source, gridPos: at,
        fieldConfig: { defaults: { unit, min: 0, ...(options.max === undefined ? {} : { max: options.max }), thresholds }, overrides: [] },
        options: options.stat ? { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value' } : { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
        targets: targets.map(([expr, legendFormat], i) => ({ refId: String.fromCharCode(65 + i), datasource: source, expr, legendFormat, editorMode: 'code', range: true })),
    };
}

function variable(name, label, query) {
    return { name, label, type: 'query', datasource: source, query: { query, refId: name }, definition: query, refresh: 2, includeAll: true, multi: true, allValue: '.*', current: { text: 'All', value: '$__all' } };
}

export function dashboard(key) {
    const [title, rows] = dashboards[key];
    let [x, y, tallest] = [0, 0, 0];
    const panels = rows.map((row, i) => {
        const [w, h] = row[3]?.stat ? [6, 4] : [12, 8];
        if (x + w > 24 || (tallest && tallest !== h)) [x, y, tallest] = [0, y + tallest, 0];
        const at = { x, y, w, h };
        [x, tallest] = [x + w, h];
        return panel(row, i + 1, at);
    });
    return {
        uid: `tiktrend-${key}`, title: `TikTrend: ${title}`, tags: ['tiktrend'], schemaVersion: 39, version: 1, editable: false, refresh: '10s',
        time: { from: 'now-1h', to: 'now' }, timezone: 'browser',
        templating: { list: [
            { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus', current: { text: 'Prometheus', value: 'prometheus' } },
            ...(key === 'queue' ? [variable('queue', 'Queue', 'label_values(bullmq_queue_depth, queue)')] : []),
        ] },
        links: [{ title: 'TikTrend', type: 'dashboards', tags: ['tiktrend'], asDropdown: true, includeVars: false, keepTime: true }],
        panels,
    };
}

export const names = Object.keys(dashboards);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    for (const name of names) writeFileSync(join(dirname(fileURLToPath(import.meta.url)), 'dashboards', `${name}.json`), JSON.stringify(dashboard(name), null, 2) + '\n');
}
