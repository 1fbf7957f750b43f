// deploy/k8s: every overlay is rendered, valid, and keeps the rules that a running fleet needs.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { documents, render } from './lib/kustomize.mjs';
import { problems } from './lib/models.mjs';
import { defaultOf, read, root } from './lib/project.mjs';
import { documentedLabels } from './lib/promql.mjs';
import * as rules from './lib/rules.mjs';

const k8s = join(root, 'deploy/k8s');
const spots = ['spot-aws', 'spot-gcp', 'spot-azure'];
const overlays = ['local', 'prometheus-adapter', 'keda', ...spots, 'region-replica'];
const folders = [...overlays.map((o) => `overlays/${o}`), 'migrate', 'addons/prometheus-adapter'];

// The model from npm is older than this field of KEDA 2.17.
const unknownToTheModel = new Set(['/spec/fallback/behavior: no such field']);
const wrong = (o) => problems(o).filter((p) => !unknownToTheModel.has(p));

function secretKeys(kind, env) {
    const text = execFileSync(join(k8s, 'make-secrets.sh'), [`--${kind}`], { encoding: 'utf8', env: { ...process.env, ...env } });
    return Object.fromEntries(documents(text, 'make-secrets.sh').map((s) => {
        assert.deepEqual(wrong(s), []);
        return [s.metadata.name, Object.keys(s.data)];
    }));
}
const managed = secretKeys('managed', { DATABASE_URL: 'postgresql://db/x', REDIS_QUEUE_URL: 'redis://q:6379/0', REDIS_CACHE_URL: 'redis://c:6379/0' });
const trial = secretKeys('trial', {});
const keysFor = (folder) => (folder.endsWith('/local') ? trial : managed);

const allRules = (objects, folder) => [
    ...rules.security(objects), ...rules.resourcesAndImages(objects), ...rules.probes(objects), ...rules.gracePeriods(objects),
    ...rules.variablesAreRead(objects), ...rules.targets(objects), ...rules.references(objects, keysFor(folder)),
    ...rules.cloudAccess(objects), ...rules.scrapedLabels(objects, documentedLabels()), ...rules.policies(objects),
];

for (const folder of folders) {
    test(`${folder} is valid for Kubernetes`, () => {
        for (const o of render(join(k8s, folder))) assert.deepEqual(wrong(o), [], `${o.kind} ${o.metadata.name}`);
    });
    test(`${folder} keeps our rules`, () => assert.deepEqual(allRules(render(join(k8s, folder)), folder), []));
    test(`${folder} is what kubectl makes of it`, (t) => {
        const kubectl = spawnSync('kubectl', ['kustomize', join(k8s, folder)], { encoding: 'utf8' });
        if (kubectl.error) return t.skip('kubectl is not installed');
        assert.equal(kubectl.status, 0, kubectl.stderr);
        const sorted = (list) => list.sort((a, b) => (id(a) < id(b) ? -1 : 1));
        const id = (o) => `${o.kind}/${o.metadata.name}`;
        const ours = JSON.parse(JSON.stringify(render(join(k8s, folder))));
        assert.deepEqual(sorted(ours), sorted(documents(kubectl.stdout, 'kubectl')));
    });
}

test('the rules find what they are there for', () => {
    const folder = 'overlays/prometheus-adapter';
    const of = (objects, kind, name) => objects.find((o) => o.kind === kind && o.metadata.name.startsWith(name));
    const worker = (objects) => of(objects, 'Deployment', 'scraper-workers').spec.template.spec;
    const mistakes = [
        [/not WORKER_CONCURRENCY/, (o) => { of(o, 'HorizontalPodAutoscaler', 'scraper-workers').spec.metrics[0].external.target.averageValue = '20'; }],
        [/grace period/, (o) => { worker(o).terminationGracePeriodSeconds = 100; }],
        [/a spot notice leaves/, (o) => { worker(o).terminationGracePeriodSeconds = 300; }],
        [/no readinessProbe/, (o) => { delete worker(o).containers[0].readinessProbe; }],
        [/only waits for a server/, (o) => { worker(o).containers[0].livenessProbe.httpGet.path = '/health/ready'; }],
        [/not pinned/, (o) => { worker(o).containers[0].image = 'tiktrend/worker:latest'; }],
        [/requests no CPU/, (o) => { delete worker(o).containers[0].resources.requests.cpu; }],
        [/reads no WORKER_CONCURENCY/, (o) => { of(o, 'ConfigMap', 'worker-config').data.WORKER_CONCURENCY = '10'; }],
        [/may run as root/, (o) => { worker(o).securityContext.runAsNonRoot = false; }],
        [/may write its root/, (o) => { worker(o).containers[0].securityContext.readOnlyRootFilesystem = false; }],
        [/sets replicas/, (o) => { of(o, 'Deployment', 'scraper-workers').spec.replicas = 3; }],
        [/selects no pod/, (o) => { of(o, 'Service', 'api-server').spec.selector = { app: 'other' }; }],
        [/label endpoint hides/, (o) => { of(o, 'ServiceMonitor', 'api-server').spec.endpoints[0].relabelings.pop(); }],
        [/ask for names at 169.254.20.10/, (o) => { of(o, 'NetworkPolicy', 'dns').spec.egress[0].to.splice(1, 1); }],
        [/call port 26379/, (o) => { of(o, 'NetworkPolicy', 'databases').spec.egress[0].ports.pop(); }],
        [/makes no worker-secrets/, (o) => { delete worker(o).containers[0].envFrom[1].secretRef.optional; }],
        [/makes no tiktrend-secrets\/DATABASE_URI/, (o) => { worker(o).containers[0].env.at(-1).valueFrom.secretKeyRef.key = 'DATABASE_URI'; }],
    ];
    for (const [message, make] of mistakes) {
        const objects = structuredClone(render(join(k8s, folder)));
        make(objects);
        assert.match(allRules(objects, folder).join('\n'), message);
    }
});

test('a server that lets a caller not in is found', () => {
    const objects = structuredClone(render(join(k8s, 'overlays/local')));
    objects.find((o) => o.kind === 'NetworkPolicy' && o.metadata.name === 'redis').spec.ingress[0].from[0].podSelector.matchExpressions[0].values.pop();
    assert.match(rules.policies(objects).join(), /redis-queue lets no migrate in/);
});

test('the rules of who asks the cloud find what they are there for', () => {
    const folder = 'overlays/spot-aws';
    const pool = (objects) => rules.podSpec(objects.find((o) => o.kind === 'Deployment' && o.metadata.name === 'scraper-workers'));
    const named = (objects, kind, name) => objects.find((o) => o.kind === kind && o.metadata.name === name);
    const mistakes = [
        [/lets it ask the metadata server/, (o) => { named(o, 'NetworkPolicy', 'spot-notices').spec.egress[0].ports[0].port = 443; }],
        [/lets it ask the Kubernetes API at 6443/, (o) => { named(o, 'NetworkPolicy', 'pod-deletion-cost').spec.egress[0].ports.pop(); }],
        [/not to patch pods alone/, (o) => { named(o, 'Role', 'scraper-workers-spot').rules[0].verbs.push('delete'); }],
        [/not to patch pods alone/, (o) => { named(o, 'RoleBinding', 'scraper-workers-spot').subjects[0].name = 'default'; }],
        [/no token in/, (o) => { delete pool(o).containers[0].volumeMounts; }],
        [/without POD_NAME/, (o) => { pool(o).containers[0].env = pool(o).containers[0].env.filter((e) => e.name !== 'POD_NAME'); }],
        [/a token that it does not use/, (o) => { pool(o).initContainers[0].volumeMounts = pool(o).containers[0].volumeMounts; }],
        [/a token that it does not need/, (o) => { pool(o).automountServiceAccountToken = true; }],
    ];
    for (const [message, make] of mistakes) {
        const objects = structuredClone(render(join(k8s, folder)));
        make(objects);
        assert.match(allRules(objects, folder).join('\n'), message);
    }
});

test('a misspelt or mistyped field is found', () => {
    const [hpa] = render(join(k8s, 'overlays/prometheus-adapter')).filter((o) => o.kind === 'HorizontalPodAutoscaler' && o.metadata.name === 'scraper-workers');
    const misspelt = structuredClone(hpa);
    misspelt.spec.behavior.scaleDown.stabilisationWindowSeconds = 300;
    assert.deepEqual(wrong(misspelt), ['/spec/behavior/scaleDown/stabilisationWindowSeconds: no such field']);
    const mistyped = structuredClone(hpa);
    mistyped.spec.maxReplicas = '20';
    assert.match(wrong(mistyped).join(), /must be integer/);
});

test('the autoscalers are those of the plan', () => {
    const objects = render(join(k8s, 'overlays/prometheus-adapter'));
    const hpa = (name) => objects.find((o) => o.kind === 'HorizontalPodAutoscaler' && o.metadata.name === name).spec;
    const workers = hpa('scraper-workers');
    assert.deepEqual([workers.minReplicas, workers.maxReplicas, workers.metrics.length], [3, 20, 1]);
    assert.deepEqual(workers.metrics[0].external, {
        metric: { name: 'bullmq_queue_depth', selector: { matchLabels: { queue: 'scraping' } } }, target: { type: 'AverageValue', averageValue: '10' },
    });
    assert.equal(workers.behavior.scaleDown.stabilizationWindowSeconds, 300);
    const api = hpa('api-server');
    assert.deepEqual([api.minReplicas, api.maxReplicas], [2, 10]);
    assert.equal(api.metrics[0].resource.target.averageUtilization, 70);
    assert.deepEqual([api.metrics[1].pods.metric.name, api.metrics[1].pods.target.averageValue], ['http_requests_per_second', '1000']);
    const keda = render(join(k8s, 'overlays/keda')).filter((o) => o.kind === 'ScaledObject');
    assert.deepEqual(keda.map((o) => [o.metadata.name, o.spec.minReplicaCount, o.spec.maxReplicaCount]).sort(), [['api-server', 2, 10], ['scraper-workers', 3, 20]]);
    assert.equal(defaultOf('worker', 'WORKER_CONCURRENCY'), '10');
});

for (const overlay of spots) {
    test(`${overlay}: the on-demand minimum runs the same pods, and the depth is reduced by what they hold`, () => {
        const objects = render(join(k8s, 'overlays', overlay));
        const deployment = (name) => objects.find((o) => o.kind === 'Deployment' && o.metadata.name === name);
        const spot = structuredClone(deployment('scraper-workers').spec.template.spec);
        const minimum = structuredClone(deployment('scraper-workers-on-demand').spec.template.spec);
        const held = deployment('scraper-workers-on-demand').spec.replicas * Number(rules.environment(spot.containers[0], objects).WORKER_CONCURRENCY);
        for (const s of [spot, minimum]) for (const key of ['affinity', 'tolerations', 'volumes', 'serviceAccountName']) delete s[key];
        // What only a pod that may be taken away has: components/spot-notices.
        const [worker] = spot.containers;
        delete worker.volumeMounts;
        worker.envFrom = worker.envFrom.filter((f) => !f.configMapRef?.name.startsWith('spot-config-'));
        worker.env = worker.env.filter((e) => !/^POD_/.test(e.name));
        assert.deepEqual(minimum, spot);
        const [adapter] = documents(read('deploy/k8s/addons/prometheus-adapter/rules.yaml'), 'rules.yaml');
        const hpa = objects.find((o) => o.kind === 'HorizontalPodAutoscaler' && o.metadata.name === 'scraper-workers').spec;
        const rule = adapter.externalRules.find((r) => r.name.as === hpa.metrics[0].external.metric.name);
        assert.match(rule.metricsQuery, new RegExp(`- ${held}, 0\\)$`));
        assert.deepEqual([hpa.minReplicas + 2, hpa.maxReplicas + 2], [3, 20]);
    });
    test(`${overlay}: the minimum keeps away from every kind of machine that the pool looks for`, () => {
        const objects = render(join(k8s, 'overlays', overlay));
        const terms = (name) => rules.podSpec(objects.find((o) => o.kind === 'Deployment' && o.metadata.name === name))
            .affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;
        const wanted = terms('scraper-workers').map((t) => t.matchExpressions);
        const [avoided, ...more] = terms('scraper-workers-on-demand').map((t) => t.matchExpressions);
        assert.deepEqual(more, []); // terms are alternatives: one that holds all
        assert.deepEqual(avoided.map((e) => ({ ...e, operator: 'In' })), wanted.map(([e]) => e));
        assert.ok(avoided.some((e) => e.key === 'eks.amazonaws.com/capacityType'));
    });
    test(`${overlay}: the pool asks its own cloud, and pods that nobody takes away ask nobody`, () => {
        const objects = render(join(k8s, 'overlays', overlay));
        const env = (name) => rules.environment(rules.podSpec(objects.find((o) => o.kind === 'Deployment' && o.metadata.name === name)).containers[0], objects);
        assert.equal(env('scraper-workers').SPOT_NOTICE, overlay.replace('spot-', ''));
        assert.equal(env('scraper-workers').POD_DELETION_COST, 'true');
        for (const name of ['SPOT_NOTICE', 'POD_DELETION_COST']) assert.ok(!(name in env('scraper-workers-on-demand')), name);
    });
}

test('every metric that a HorizontalPodAutoscaler asks for is one that the adapter offers', () => {
    const [adapter] = documents(read('deploy/k8s/addons/prometheus-adapter/rules.yaml'), 'rules.yaml');
    const external = adapter.externalRules.map((r) => r.name.as);
    for (const folder of folders) {
        for (const hpa of render(join(k8s, folder)).filter((o) => o.kind === 'HorizontalPodAutoscaler')) {
            for (const m of hpa.spec.metrics) {
                if (m.type === 'External') assert.ok(external.includes(m.external.metric.name), `${folder}: ${m.external.metric.name}`);
                if (m.type === 'Pods') assert.equal(m.pods.metric.name, 'http_requests_per_second'); // http_requests_total by the first rule
            }
        }
    }
});

test('a pod whose database is away waits for it, and is not put off for longer with each try', () => {
    for (const overlay of overlays) {
        const inits = rules.podOwners(render(join(k8s, 'overlays', overlay))).flatMap((o) => rules.podSpec(o).initContainers ?? []).filter((c) => c.name === 'schema-is-ready');
        assert.ok(inits.length >= 1, overlay);
        for (const c of inits) assert.ok(Number(c.args[c.args.indexOf('--wait') + 1]) >= 300, `${overlay}: ${c.args}`);
    }
});

test('the whole fleet fits into the connections that PostgreSQL allows', () => {
    const objects = render(join(k8s, 'overlays/local'));
    const postgres = objects.find((o) => o.kind === 'StatefulSet' && o.metadata.name === 'postgres').spec.template.spec.containers[0];
    const allowed = Number(/max_connections=(\d+)/.exec(postgres.args.join(' '))[1]);
    const needed = rules.connections(objects, { gateways: 10, workers: 20 });
    assert.ok(needed + 20 <= allowed, `${needed} and 20 for people and replicas do not fit into ${allowed}`);
});

test('queue and cache have the eviction policies that they need', () => {
    assert.match(read('deploy/k8s/components/redis/queue.sh'), /--maxmemory-policy noeviction/);
    assert.match(read('deploy/k8s/components/redis/cache.sh'), /--maxmemory-policy allkeys-lru/);
});
