// Questions about PromQL: which metrics a query names, whether promtool can parse it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import YAML from 'yaml';
import { read } from './project.mjs';

/** Names in docs/metrics.md; of a histogram also its three series. */
export function documentedMetrics() {
    const names = new Set(['process_start_time_seconds', 'process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_open_fds', 'process_max_fds', 'tiktrend_build_info']);
    for (const line of read('docs/metrics.md').split('\n')) {
        const cells = line.split('|').map((c) => c.trim());
        if (cells.length < 4) continue;
        for (const m of cells[1].matchAll(/`([a-z_][a-z0-9_:]*)`/g)) {
            names.add(m[1]);
            if (cells[2] === 'histogram') for (const end of ['bucket', 'count', 'sum']) names.add(`${m[1]}_${end}`);
        }
    }
    return names;
}

/** Labels in docs/metrics.md: those that a metric brings with it. */
export function documentedLabels() {
    const labels = new Set();
    for (const line of read('docs/metrics.md').split('\n')) {
        const cells = line.split('|').map((c) => c.trim());
        if (cells.length < 5 || !['counter', 'gauge', 'histogram'].includes(cells[2])) continue;
        for (const m of cells[3].matchAll(/`([a-z_]+)`/g)) labels.add(m[1]);
    }
    return labels;
}

/** Names of series in a query: identifiers that are no functions, keywords, labels or text. */
export function metricsIn(expr) {
    const bare = expr
        .replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/'[^']*'/g, "''")
        .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
        .replace(/\{[^}]*\}/g, (m) => (/__name__/.test(m) ? ' ' : '{}')).replace(/\[[^\]]*\]/g, '');
    const words = new Set(['and', 'or', 'unless', 'bool', 'offset', 'by', 'without', 'on', 'inf', 'nan', 'atan2']);
    return [...bare.matchAll(/(?<![\w$:.])([a-zA-Z_:][\w:]*)\b(?!\s*\()/g)].map((m) => m[1])
        .filter((w) => !words.has(w.toLowerCase()) && !/^(le|\d+)$/.test(w) && !/^(sum|max|min|avg|count|topk)$/.test(w));
}

/** What promtool says of queries that it cannot parse. */
export function queryProblems(queries) {
    const dir = mkdtempSync(join(tmpdir(), 'tiktrend-promql.'));
    try {
        const file = join(dir, 'rules.yml');
        writeFileSync(file, YAML.stringify({ groups: [{ name: 'queries', rules: queries.map((expr, i) => ({ record: `q${i}`, expr })) }] }));
        const out = spawnSync('promtool', ['check', 'rules', '--lint=none', file], { encoding: 'utf8' });
        if (out.error) throw new Error('promtool is missing: tools/setup installs it');
        return out.status === 0 ? [] : [out.stdout + out.stderr];
    } finally {
        rmSync(dir, { recursive: true });
    }
}
