// Prints deploy/prometheus/rules as one PrometheusRule, the form that the Prometheus operator reads.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import YAML from 'yaml';
import { read, root } from './lib/project.mjs';

const groups = readdirSync(join(root, 'deploy/prometheus/rules')).sort()
    .flatMap((f) => YAML.parse(read(`deploy/prometheus/rules/${f}`)).groups);
process.stdout.write('# Made of deploy/prometheus/rules by tests/deploy/make-prometheus-rule.mjs; a test compares.\n' + YAML.stringify({
    apiVersion: 'monitoring.coreos.com/v1', kind: 'PrometheusRule', metadata: { name: 'tiktrend' }, spec: { groups },
}, { lineWidth: 0 }));
