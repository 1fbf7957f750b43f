// docs/operations: what a page tells somebody to type, read or look for exists.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import test from 'node:test';
import YAML from 'yaml';
import { exists, read, root, variables } from './lib/project.mjs';
import { documentedMetrics } from './lib/promql.mjs';

const pages = readdirSync(join(root, 'docs/operations')).filter((f) => f.endsWith('.md')).map((f) => `docs/operations/${f}`);
const asked = ['scaling', 'install', 'upgrade', 'backup-and-restore', 'failover', 'poison-jobs', 'stuck-queue', 'redis-full', 'slow-database', 'shop-blocks-us'];

// Programs of others that the pages use; ours are looked up.
const tools = new Set(['kubectl', 'docker', 'systemctl', 'redis-cli', 'psql', 'curl', 'promtool', 'cp', 'timedatectl', 'install', 'export', 'git', 'kind', 'jq', 'openssl', 'pg_createcluster', 'runuser', 'journalctl']);

/** Lines of indented blocks, and commands between backticks in tables. */
function commands(text) {
    const blocks = text.split('\n').filter((l) => /^ {4,}\S/.test(l)).map((l) => l.trim());
    const inline = [...text.matchAll(/`([a-z][\w./-]*) ([^`]*)`/g)].filter((m) => tools.has(m[1]) || /^(deploy|tools|build)\/|^tiktrend$/.test(m[1]))
        .map((m) => `${m[1]} ${m[2]}`.replaceAll('\\|', '|'));
    return [...blocks, ...inline].map((l) => l.replace(/\s+#.*$/, ''));
}

const binaries = process.env.TIKTREND_BIN_DIR ?? join(root, 'build/dev/bin');
const known = (flag, text) => text.includes(flag);

test('every page that is asked for is there, is listed, and ends in commands', () => {
    const index = read('docs/operations/README.md');
    for (const name of asked) {
        assert.ok(pages.includes(`docs/operations/${name}.md`), name);
        assert.ok(index.includes(`(${name}.md)`), `${name} is not in the list`);
        assert.ok(commands(read(`docs/operations/${name}.md`)).length >= 3, `${name} has no commands`);
        assert.match(read(`docs/operations/${name}.md`).trimEnd().split('\n').at(-1), /^ {4,}\S/, `${name} does not end in a command`);
    }
});

for (const page of pages) {
    const text = read(page);
    test(`${page}: links and files exist`, () => {
        for (const [, link] of text.matchAll(/\]\(([^)#:]+)\)/g)) assert.ok(exists(normalize(join(dirname(page), link))), link);
        for (const [, path] of text.matchAll(/(?<![\w/.-])((?:deploy|docs|tools|apps|libs)\/[\w./@-]+)/g)) {
            if (path !== 'deploy/compose/.env') assert.ok(exists(path.replace(/\.$/, '')), path); // made by the reader
        }
    });
    test(`${page}: programs, verbs and flags exist`, () => {
        for (const line of commands(text)) {
            for (const part of line.split(/\s*\|\s*(?=kubectl|grep|jq)/)) checkCommand(part, line);
        }
    });
    test(`${page}: metrics, variables and alerts exist`, () => {
        const alerts = new Set(YAML.parse(read('deploy/prometheus/rules/alerts.yml')).groups.flatMap((g) => g.rules).map((r) => r.alert));
        const env = new Set([...variables('gateway'), ...variables('worker')]);
        for (const [, word] of text.matchAll(/`([A-Z][A-Za-z]+)`/g)) {
            if (/[a-z][A-Z]/.test(word) && !['FailedGetExternalMetric', 'OOMKilled'].includes(word)) assert.ok(alerts.has(word), `no alert ${word}`);
        }
        for (const [, name] of text.matchAll(/`([A-Z][A-Z0-9]*_[A-Z0-9_]+)`/g)) assert.ok(env.has(name), `no variable ${name}`);
        for (const [, name] of text.matchAll(/(?<![\w:])((?:bullmq|scrape|scraping|worker|fetch|db|http|queue_metrics)_[a-z_]+)(?=[`{\[)]|$)/gm)) {
            assert.ok(documentedMetrics().has(name), `no metric ${name}`);
        }
    });
}

function checkCommand(part, line) {
    const words = part.split(/\s+/);
    while (/^[A-Z_]+=/.test(words[0])) words.shift();
    const program = words[0];
    if (/^(#|apiVersion:|kind:|namespace:|resources:|images:|configMapGenerator:|patches:|patch:|depth$|-$|\[Service\]|LoadCredential=|Environment=)/.test(program) || program === 'grep') return;
    if (program === 'deploy/k8s/tiktrend.sh') return checkOwn(words.slice(1), line);
    if (/^(deploy|tools)\//.test(program) || program.startsWith('build/release/bin/')) {
        const source = program.startsWith('build/') ? `tools/autoscale-sim/main.cpp` : program;
        for (const flag of words.filter((w) => w.startsWith('--'))) assert.ok(known(flag.split('=')[0], read(source)), `${line}: ${program} has no ${flag}`);
        return;
    }
    if (program === 'tiktrend') return checkOwn(words.slice(1), line);
    assert.ok(tools.has(program), `${line}: what is ${program}?`);
    if (program === 'curl') {
        const path = /(?:127\.0\.0\.1:8080|\$GATEWAY_URL)(\/[\w/-]*)/.exec(line)?.[1];
        if (path) assert.ok(read('docs/http-api.md').includes(path.replace(/\/$/, '')), `${line}: no ${path} in docs/http-api.md`);
    }
    if (program === 'systemctl') {
        for (const [unit] of line.matchAll(/tiktrend-\w+(@[\w*]*)?/g)) assert.ok(exists(`deploy/systemd/${unit.replace(/@.*/, '@')}.service`), `${line}: no unit ${unit}`);
    }
    if (program === 'promtool') assert.match(line, /^promtool query instant http:\S+ '.+'$/);
    const deployment = /(?:deployment|hpa|statefulset|service)[ /](api-server|[a-z][\w-]+)/.exec(line)?.[1];
    if (program === 'kubectl' && deployment && !/--namespace monitoring/.test(line)) {
        assert.match(execFileSync('grep', ['-rhoE', `name: ${deployment}$`, 'deploy/k8s'], { cwd: root, encoding: 'utf8' }), /name/, line);
    }
}

/** A line for our command line: the program itself, where it is built, says whether verbs and flags exist. */
function checkOwn(words, line) {
    const verbs = words.slice(0, words.findIndex((w) => !/^[a-z][a-z-]+$/.test(w)) >>> 0);
    const flags = words.filter((w) => w.startsWith('--')).map((w) => w.split('=')[0]);
    const help = (...asked) => spawnSync(join(binaries, 'tiktrend'), [...asked, '--help'], { encoding: 'utf8' });
    const { status, stdout, error } = help(...verbs);
    if (error) { // not built: what its sources say
        const sources = execFileSync('sh', ['-c', 'cat tools/tiktrend/*.cpp tools/tiktrend/*/*.cpp'], { cwd: root, encoding: 'utf8' });
        for (const word of [...verbs.map((v) => `"${v}"`), ...flags]) assert.ok(sources.includes(word), `${line}: no ${word}`);
        return;
    }
    assert.equal(status, 0, `${line}: ${verbs.join(' ')} is no verb`);
    for (const flag of flags) assert.ok(stdout.includes(flag), `${line}: ${verbs.join(' ')} has no ${flag}`);
}

test('docs/command-line.md knows every verb of the command line, and its flags', (t) => {
    const help = (...verbs) => spawnSync(join(binaries, 'tiktrend'), [...verbs, '--help'], { encoding: 'utf8' });
    if (help().error) return t.skip(`tiktrend is not built in ${binaries}`);
    const page = read('docs/command-line.md');
    const below = (...verbs) => [...(help(...verbs).stdout.split('Subcommands:\n')[1] ?? '').split('\n\n')[0].matchAll(/^ {2}(\S+)/gm)].map((m) => m[1]);
    const seen = [];
    const look = (verbs) => {
        for (const verb of below(...verbs)) {
            // Each table names its group in the heading, so that `stats` stands for `tiktrend queue stats`.
            const words = [...verbs, verb];
            const short = ['queue', 'source'].includes(words[0]) && words.length > 1 ? words.slice(1) : words;
            assert.ok(new RegExp(`\`(?:tiktrend )?${short.join(' ')}\\b|, \`${short.join(' ')}\``).test(page), `docs/command-line.md has no ${words.join(' ')}`);
            seen.push(words.join(' '));
            look(words);
        }
    };
    look([]);
    assert.ok(seen.includes('api-key revoke') && seen.includes('queue job retry') && seen.length > 25, seen.join());
    for (const verbs of seen.filter((v) => /^(migrate|check-config|api-key|user)/.test(v))) {
        for (const [flag] of help(...verbs.split(' ')).stdout.matchAll(/--(?!help)[a-z-]+/g)) assert.ok(page.includes(flag), `docs/command-line.md: ${verbs} ${flag}`);
    }
});
