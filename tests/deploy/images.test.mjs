// deploy/docker: what an image builder gets.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import test from 'node:test';
import { read, root, version } from './lib/project.mjs';

const require = createRequire(import.meta.url);
const { validate: lint } = require('dockerfile-utils');
const dockerfile = read('deploy/docker/Dockerfile');
const binaries = process.env.TIKTREND_BIN_DIR ?? join(root, 'build/dev/bin');
const programs = ['tiktrend', 'tiktrend-gateway', 'tiktrend-worker'];

test('Dockerfile: nothing that the linter knows is wrong', () => {
    assert.deepEqual(lint(dockerfile), []);
    assert.notDeepEqual(lint('FROM debian:12\nRUNN true\n'), [], 'the linter finds nothing at all');
});

test('Dockerfile: pinned base, several stages, never root, PID 1 is the program', () => {
    assert.match(dockerfile, /^ARG DEBIAN=debian:12\.\d+-slim$/m);
    const stages = dockerfile.split(/^FROM /m).slice(1);
    const stage = (name) => stages.find((s) => new RegExp(` AS ${name}$`, 'm').test(s));
    assert.match(stage('runtime'), /^USER 10001:10001$/m);
    for (const s of stages.filter((s) => !/ AS build$/m.test(s))) assert.doesNotMatch(s, /^USER (root|0)/m);
    for (const [name, program] of [['gateway', 'tiktrend-gateway'], ['worker', 'tiktrend-worker'], ['cli', 'tiktrend']]) {
        assert.match(stage(name), /^runtime AS/);
        assert.match(stage(name), new RegExp(`^ENTRYPOINT \\["/usr/bin/${program}"\\]$`, 'm'));
        assert.match(stage(name), new RegExp(`^COPY --from=build /out/usr/bin/${program} `, 'm'));
    }
    assert.doesNotMatch(dockerfile, /^ADD |:latest|apt-get/m);
    for (const [, from] of dockerfile.matchAll(/^COPY (?!--from)(\S+)/gm)) if (from !== '.') assert.ok(existsSync(join(root, from)), from);
    assert.match(read('deploy/docker/build-programs.sh'), /install --strip/);
});

test('the builder sees every folder that the build asks for', () => {
    const kept = read('deploy/docker/Dockerfile.dockerignore').split('\n').filter((l) => l.startsWith('!')).map((l) => l.slice(1));
    for (const path of kept) assert.ok(existsSync(join(root, path)), path);
    for (const [, folder] of read('CMakeLists.txt').matchAll(/add_subdirectory\((\w+)\)/g)) {
        if (folder !== 'tests') assert.ok(kept.some((k) => k === folder || k.startsWith(`${folder}/`)), folder);
    }
    assert.match(read('deploy/docker/Dockerfile.dockerignore'), /^\*$/m);
});

test('the builder sees every file that the three programs are made of', (t) => {
    const build = join(binaries, '..');
    const asked = spawnSync('ninja', ['-C', build, '-t', 'inputs', ...programs], { encoding: 'utf8' });
    if (asked.error || asked.status !== 0) return t.skip(`${build} is no build folder of Ninja's`);
    const kept = read('deploy/docker/Dockerfile.dockerignore').split('\n').filter((l) => l.startsWith('!')).map((l) => l.slice(1));
    const inputs = asked.stdout.split('\n').filter((l) => l.startsWith(`${root}/`) && !l.startsWith(`${build}/`)).map((l) => l.slice(root.length + 1));
    assert.ok(inputs.length > 100);
    for (const file of inputs) assert.ok(kept.some((k) => file === k || file.startsWith(`${k}/`)), `Dockerfile.dockerignore keeps ${file} away`);
});

test('the runtime image installs the package of every library that the programs link', (t) => {
    if (!programs.every((p) => existsSync(join(binaries, p)))) return t.skip(`the programs are not built in ${binaries}`);
    const installed = new Set(read('deploy/docker/install-runtime-packages.sh').split(/\s+/));
    // Of every Debian: the C library and the compiler's own.
    for (const p of ['libc6', 'libgcc-s1']) installed.add(p);
    const needed = new Map(); // library → the file that the loader takes
    for (const program of programs) {
        const own = [...execFileSync('readelf', ['-d', join(binaries, program)], { encoding: 'utf8' }).matchAll(/NEEDED.*\[(.*)\]/g)].map((m) => m[1]);
        for (const [, library, path] of execFileSync('ldd', [join(binaries, program)], { encoding: 'utf8' }).matchAll(/(\S+) => (\/\S+)/g)) {
            if (own.includes(library)) needed.set(library, realpathSync(path));
        }
    }
    assert.ok(needed.size > 10);
    // The package may record the file without the link from /lib to /usr/lib.
    const paths = [...needed.values()].flatMap((p) => [p, p.replace(/^\/usr/, '')]);
    const owners = new Map(spawnSync('dpkg-query', ['-S', ...paths], { encoding: 'utf8' }).stdout.split('\n')
        .map((l) => /^([^:,]+)\S*: (\S+)$/.exec(l)).filter(Boolean).map(([, name, path]) => [path, name]));
    for (const [library, path] of needed) {
        const owner = owners.get(path) ?? owners.get(path.replace(/^\/usr/, ''));
        assert.ok(owner, `no package has ${path}`);
        assert.ok(installed.has(owner), `${library} is in ${owner}`);
    }
});

for (const [what, words] of [['its runtime stages, with programs of this build', ['--programs', binaries]], ['all of it, what it compiles included', []]]) {
    test(`the Dockerfile can be rehearsed in a folder: ${what}`, (t) => {
        if (!process.env.TIKTREND_LONG_TESTS) return t.skip('long: TIKTREND_LONG_TESTS=1 runs debootstrap');
        if (process.getuid() !== 0) return t.skip('debootstrap and chroot need root');
        if (spawnSync('debootstrap', ['--version']).error) return t.skip('debootstrap is not installed');
        const out = spawnSync(join(root, 'deploy/docker/rehearse.sh'), words, { encoding: 'utf8' });
        assert.equal(out.status, 0, out.stdout + out.stderr);
        for (const [image, p] of [['cli', 'tiktrend'], ['worker', 'tiktrend-worker'], ['gateway', 'tiktrend-gateway']]) {
            assert.match(out.stdout, new RegExp(`^${image} --version: ${p} ${version()}$`, 'm'));
        }
        console.log(out.stdout.trimEnd());
    });
}
