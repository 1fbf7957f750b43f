// tools/run --autoscale: a real Prometheus, real workers, 500 jobs. Long: it builds the release preset and runs for minutes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { read, root } from './lib/project.mjs';

test('a burst of 500 jobs takes real workers from 3 to 20 and back', (t) => {
    if (!process.env.TIKTREND_LONG_TESTS) return t.skip('long: TIKTREND_LONG_TESTS=1 runs tools/run --autoscale');
    const out = spawnSync(join(root, 'tools/run'), ['--autoscale', '--no-setup'], { encoding: 'utf8', timeout: 3_000_000 });
    assert.equal(out.status, 0, out.stdout + out.stderr);
    const said = out.stdout + out.stderr;
    const sizes = [...said.matchAll(/workers +(\d+) -> (\d+)/g)].map((m) => Number(m[2]));
    assert.deepEqual(sizes.slice(0, 3), [7, 14, 20]);
    assert.equal(sizes.at(-1), 3);
    // A fifth at a time: at least six steps down.
    assert.ok(sizes.length - 3 >= 6, sizes.join());
    assert.match(said, /500 jobs completed, none failed/);
    assert.match(read('.run/autoscale.svg'), /^<svg /);
});
