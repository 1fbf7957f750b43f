// deploy/k8s/*.sh against a kubectl that renders as the real one does, answers what the test says and remembers what it was told.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import test from 'node:test';
import YAML from 'yaml';
import { documents, render } from './lib/kustomize.mjs';
import { problems } from './lib/models.mjs';
import { read, root, variables, version } from './lib/project.mjs';
import * as rules from './lib/rules.mjs';

const k8s = join(root, 'deploy/k8s');
const renderer = join(root, 'tests/deploy/lib/kustomize.mjs');
const yaml = join(root, 'tests/deploy/node_modules/yaml/dist/index.js');

/** Runs f with a folder whose kubectl answers `get …` as `answers` says: [what the words hold, what it prints, its status]. */
function withKubectl(answers, f) {
    const dir = mkdtempSync(join(tmpdir(), 'tiktrend-kubectl.'));
    try {
        for (const folder of ['bin', 'answers', 'told']) mkdirSync(join(dir, folder));
        writeFileSync(join(dir, 'render.mjs'), `import { render } from 'file://${renderer}';
import YAML from 'file://${yaml}';
process.stdout.write(render(process.argv[2]).map((o) => YAML.stringify(o, { sortMapEntries: true, lineWidth: 0 })).join('---\\n'));
`);
        answers.forEach(([, text], i) => writeFileSync(join(dir, 'answers', String(i)), text));
        writeFileSync(join(dir, 'bin/kubectl'), `#!/bin/bash
if [ "$1" = kustomize ]; then exec '${process.execPath}' '${dir}/render.mjs' "$2"; fi
call=$(printf '${dir}/told/%04d' "$(ls '${dir}/told' | wc -l)") # two files a call
printf '%s\\0' "$@" >"$call"
if [ "\${*: -2}" = '-f -' ]; then cat; fi >"$call.in"
case "$*" in
${answers.map(([words, , status], i) => `*${JSON.stringify(words)}*) cat '${dir}/answers/${i}' && exit ${status ?? 0} ;;`).join('\n')}
esac
exit 0
`, { mode: 0o755 });
        const run = (script, ...args) => spawnSync(join(k8s, script), args, { encoding: 'utf8', env: { ...process.env, PATH: `${dir}/bin:${process.env.PATH}` } });
        const told = () => readdirSync(join(dir, 'told')).filter((n) => !n.endsWith('.in')).sort().map((n) => {
            const words = readFileSync(join(dir, 'told', n), 'utf8').split('\0').slice(0, -1);
            return { words, line: words.join(' '), input: readFileSync(join(dir, 'told', `${n}.in`), 'utf8') };
        });
        return f({ run, told, dir });
    } finally {
        rmSync(dir, { recursive: true });
    }
}

const complete = [['get job migrate', 'SuccessCriteriaMet Complete ']];
const at = (list, text) => {
    const i = list.findIndex((t) => t.line.includes(text) || t.input.includes(text));
    assert.ok(i >= 0, text);
    return i;
};

/** An overlay of an operator: images from a registry, and a database at another port. */
function ownOverlay(dir, base, registry = 'registry.example.com:5000/tiktrend') {
    const overlay = join(dir, 'mine');
    mkdirSync(overlay);
    writeFileSync(join(overlay, 'kustomization.yaml'), YAML.stringify({
        apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', namespace: 'tiktrend',
        resources: [relative(overlay, join(k8s, 'overlays', base))],
        images: ['gateway', 'worker', 'cli'].map((n) => ({ name: `tiktrend/${n}`, newName: `${registry}/${n}`, newTag: version() })),
        patches: [{ target: { kind: 'NetworkPolicy', name: 'databases' }, patch: '- { op: add, path: /spec/egress/0/ports/-, value: { protocol: TCP, port: 25060 } }' }],
    }));
    return overlay;
}

test('apply.sh migrates before it rolls the programs out, and waits for every Deployment of the overlay', () => withKubectl(complete, ({ run, told }) => {
    const out = run('apply.sh', 'spot-aws');
    assert.equal(out.status, 0, out.stderr);
    const list = told();
    assert.ok(at(list, 'kind: Job') < at(list, 'get job migrate'));
    assert.ok(at(list, 'get job migrate') < at(list, 'apply -k'));
    assert.match(list[at(list, 'apply -k')].line, /overlays\/spot-aws$/);
    for (const name of ['api-server', 'scraper-workers', 'scraper-workers-on-demand']) at(list, `rollout status deployment/${name} `);
    assert.match(read('deploy/k8s/migrate/kustomization.yaml'), new RegExp(`newTag: ${version()}`));
}));

test('an overlay of one’s own migrates with its own image and keeps its own policies', () => withKubectl(complete, ({ run, told, dir }) => {
    const out = run('apply.sh', ownOverlay(dir, 'prometheus-adapter'));
    assert.equal(out.status, 0, out.stderr);
    const list = told();
    const [job] = documents(list[at(list, 'kind: Job')].input, 'job');
    assert.equal(job.spec.template.spec.containers[0].image, `registry.example.com:5000/tiktrend/cli:${version()}`);
    const policies = documents(list[at(list, 'kind: NetworkPolicy')].input, 'policies');
    assert.ok(policies.length >= 6);
    assert.ok(policies.every((p) => p.kind === 'NetworkPolicy'));
    assert.ok(policies.find((p) => p.metadata.name === 'databases').spec.egress[0].ports.some((p) => p.port === 25060));
    for (const { line } of list) assert.doesNotMatch(line, /base\/network-policies/, 'the base’s would undo the overlay’s');
}));

test('a folder `migrate` of an overlay stands in for ours', () => withKubectl(complete, ({ run, told, dir }) => {
    const overlay = ownOverlay(dir, 'prometheus-adapter');
    mkdirSync(join(overlay, 'migrate'));
    writeFileSync(join(overlay, 'migrate/kustomization.yaml'), YAML.stringify({
        resources: [relative(join(overlay, 'migrate'), join(k8s, 'migrate'))],
        patches: [{ target: { kind: 'Job' }, patch: '- { op: add, path: /spec/template/spec/imagePullSecrets, value: [{ name: registry }] }' }],
    }));
    assert.equal(run('apply.sh', overlay).status, 0);
    const [job] = documents(told()[at(told(), 'kind: Job')].input, 'job');
    assert.deepEqual(job.spec.template.spec.imagePullSecrets, [{ name: 'registry' }]);
    assert.match(job.spec.template.spec.containers[0].image, /^registry\.example\.com:5000/);
}));

test('the overlay on the install page renders, as kubectl renders it too, and is adapted where it says', (t) => withKubectl(complete, ({ run, told, dir }) => {
    const block = /^ {4}# my-overlay\/kustomization.yaml\n((?: {4}.*\n)+)/m.exec(read('docs/operations/install.md'))[1].replace(/^ {4}/gm, '');
    const overlay = join(dir, 'my-overlay');
    mkdirSync(overlay);
    writeFileSync(join(overlay, 'kustomization.yaml'), block.replace('../tiktrend/', `${relative(overlay, root)}/`));
    const objects = render(overlay);
    const find = (kind, name) => objects.find((o) => o.kind === kind && o.metadata.name === name);
    const gateway = find('Deployment', 'api-server').spec.template.spec.containers[0];
    assert.match(gateway.image, /^registry\.example\.com\//);
    assert.equal(rules.environment(gateway, objects).TRUSTED_PROXIES, '10.4.0.0/14');
    assert.equal(rules.environment(find('Deployment', 'scraper-workers').spec.template.spec.containers[0], objects).CONTACT, 'https://example.com/bot');
    assert.equal(find('Ingress', 'api-server').spec.rules[0].host, 'api.example.org');
    assert.ok(find('NetworkPolicy', 'databases').spec.egress[0].ports.some((p) => p.port === 25060));
    assert.equal(run('apply.sh', overlay).status, 0);
    at(told(), `rollout status deployment/api-server `);
    const real = spawnSync('kubectl', ['kustomize', overlay], { encoding: 'utf8' });
    if (real.error) return t.diagnostic('kubectl is not installed: not compared');
    assert.equal(real.status, 0, real.stderr);
    const name = (o) => `${o.kind}/${o.metadata.name}`;
    assert.deepEqual(documents(real.stdout, 'kubectl').map(name).sort(), objects.map(name).sort());
}));

test('what an overlay needs is seen in it, not in its name', () => {
    withKubectl(complete, ({ run, told, dir }) => {
        assert.equal(run('apply.sh', ownOverlay(dir, 'local')).status, 0);
        assert.ok(at(told(), 'rollout status statefulset/postgres') < at(told(), 'kind: Job'), 'the trial PostgreSQL comes first');
    });
    withKubectl([], ({ run, told, dir }) => {
        assert.equal(run('apply.sh', ownOverlay(dir, 'region-replica')).status, 0);
        assert.ok(!told().some((t) => /migrate|scraper-workers/.test(t.line)), 'no schema, no workers');
    });
});

test('a migration that fails ends apply.sh at once, with its log, before anything is rolled out', () => withKubectl([
    ['get job migrate', 'FailureTarget Failed '], ['logs job/migrate', 'problem 012_x: checksum'],
], ({ run, told }) => {
    const out = run('apply.sh', 'prometheus-adapter');
    assert.equal(out.status, 1);
    assert.match(out.stderr, /problem 012_x: checksum[^]*has not succeeded; nothing was rolled out/);
    assert.ok(!told().some((t) => t.line.includes('apply -k')));
}));

test('a migration that does not start is told of, and not waited for beyond --timeout', () => withKubectl([
    ['get pods --selector job-name=migrate', 'ImagePullBackOff'],
], ({ run }) => {
    const out = run('apply.sh', 'prometheus-adapter', '--timeout', '1');
    assert.equal(out.status, 1);
    assert.match(out.stderr, /the migration's pod waits: ImagePullBackOff/);
}));

test('a Secret that is missing is named before anything waits for it', () => {
    for (const [overlay, secret] of [['keda', 'tiktrend-secrets'], ['local', 'tiktrend-trial-secrets']]) {
        withKubectl([[`get secret ${secret}`, '', 1]], ({ run, told }) => {
            const out = run('apply.sh', overlay);
            assert.equal(out.status, 1);
            assert.match(out.stderr, new RegExp(`make the Secret ${secret} first`));
            assert.ok(!told().some((t) => /apply -k|job migrate/.test(t.line)));
        });
    }
});

test('apply.sh --dry-run prints, and changes nothing; mistakes are told', () => withKubectl([], ({ run, told }) => {
    const out = run('apply.sh', 'keda', '--dry-run');
    assert.equal(out.status, 0, out.stderr);
    assert.match(out.stderr, /apply -k .*overlays\/keda/);
    assert.deepEqual(told(), []);
    assert.equal(run('apply.sh', 'nowhere', '--dry-run').status, 2);
    assert.equal(run('apply.sh', 'keda', '--timeout', 'long').status, 2);
    assert.equal(run('apply.sh').status, 2);
}));

test('make-secrets.sh makes the other Secrets of what the environment has, of variables that the program reads', () => {
    const servers = { DATABASE_URL: 'postgresql://db/x', REDIS_QUEUE_URL: 'redis://q:6379/0', REDIS_CACHE_URL: 'redis://c:6379/0' };
    const made = (env) => Object.fromEntries(documents(execFileSync(join(k8s, 'make-secrets.sh'), ['--managed'], {
        encoding: 'utf8', env: { PATH: process.env.PATH, ...servers, ...env },
    }), 'secrets').map((s) => [s.metadata.name, s]));
    assert.deepEqual(Object.keys(made({})), ['tiktrend-secrets']);
    const secrets = made({ SENTRY_DSN: 'https://k@sentry.example.com/1', SOURCE_SECRETS: 'a.token=$x y' });
    assert.deepEqual(Object.keys(secrets), ['tiktrend-secrets', 'gateway-secrets', 'worker-secrets']);
    assert.deepEqual(Object.keys(secrets['gateway-secrets'].data), ['SENTRY_DSN']);
    assert.equal(Buffer.from(secrets['worker-secrets'].data.SOURCE_SECRETS, 'base64').toString(), 'a.token=$x y');
    for (const [, program, names] of read('deploy/k8s/make-secrets.sh').matchAll(/^secret_of (\w+)-secrets (.*)$/gm)) {
        const known = variables(program);
        for (const name of names.split(' ')) assert.ok(known.has(name), `${program} reads no ${name}`);
    }
    for (const s of Object.values(secrets)) assert.deepEqual(problems(s), []);
});

test('tiktrend.sh runs the command line in a pod that keeps our rules, with the settings of the gateway', () => {
    const gateway = render(join(k8s, 'overlays/prometheus-adapter')).find((o) => o.kind === 'Deployment' && o.metadata.name === 'api-server');
    gateway.spec.template.spec.imagePullSecrets = [{ name: 'registry' }];
    withKubectl([['get deployment', JSON.stringify(gateway)]], ({ run, told }) => {
        const out = run('tiktrend.sh', 'queue', 'clean', '--state', 'failed', '--yes');
        assert.equal(out.status, 0, out.stderr);
        const { words } = told().at(-1);
        const pod = JSON.parse(words[words.indexOf('--overrides') + 1]);
        const name = words[words.indexOf('run') + 1];
        const labels = Object.fromEntries([words[words.indexOf('--labels') + 1].split('=')]);
        assert.deepEqual(problems({ ...pod, kind: 'Pod', metadata: { name, labels } }), []);
        const [container] = pod.spec.containers;
        assert.deepEqual(container.args, ['queue', 'clean', '--state', 'failed', '--yes']);
        assert.equal(container.image, `tiktrend/cli:${version()}`);
        assert.match(container.envFrom[0].configMapRef.name, /^gateway-config-/);
        assert.deepEqual(container.envFrom.slice(1), [{ secretRef: { name: 'tiktrend-secrets' } }]);
        assert.deepEqual(pod.spec.imagePullSecrets, [{ name: 'registry' }]);
        const job = { kind: 'Job', metadata: { name }, spec: { template: { metadata: { labels }, spec: pod.spec } } };
        assert.deepEqual([...rules.security([job]), ...rules.resourcesAndImages([job])], []);
        const policy = render(join(k8s, 'overlays/prometheus-adapter')).find((o) => o.kind === 'NetworkPolicy' && o.metadata.name === 'databases');
        assert.ok(policy.spec.podSelector.matchExpressions[0].values.includes(labels['app.kubernetes.io/name']), 'a policy lets it reach the servers');
    });
});

test('backup.sh asks for one server where REDIS_QUEUE_URL names sentinels', () => {
    const dir = mkdtempSync(join(tmpdir(), 'tiktrend-backup.'));
    try {
        const out = spawnSync(join(root, 'deploy/backup/backup.sh'), [join(dir, 'backups')], {
            encoding: 'utf8', env: { ...process.env, DATABASE_URL: 'postgresql://127.0.0.1:1/x', REDIS_QUEUE_URL: 'redis+sentinel://a,b/main' },
        });
        assert.equal(out.status, 2);
        assert.match(out.stderr, /one server/);
        assert.ok(!existsSync(join(dir, 'backups')), 'nothing was begun');
    } finally {
        rmSync(dir, { recursive: true });
    }
});
