// What an autoscaler and a Prometheus rely on: programs that come and go quickly, and numbers that cost little. The bounds are those of
// tools/bench/ops; other work on the machine only ever slows a start down, so the best of some counts.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bounds, depth_reads, median, metrics_of_ten_queues, starts_and_exits } from '../../../tools/bench/ops/measures.mjs';
import { report } from './lib/invariants.mjs';
import { Site } from './lib/site.mjs';

const site = new Site();
before(() => site.start({ with_gateway: false }));
after(() => site.end());

test('gateway and worker are ready at once, and an idle worker leaves at once', async () => {
    const times = await starts_and_exits(site, 5);
    const best = Object.fromEntries(Object.entries(times).map(([what, ms]) => [what, Math.round(Math.min(...ms))]));
    report('speed', { 'gateway ready ms': best.gateway, 'worker ready ms': best.worker, 'idle worker exits ms': best.exit });
    assert.ok(best.gateway <= bounds.ready_ms && best.worker <= bounds.ready_ms && best.exit <= bounds.idle_exit_ms, JSON.stringify(times));
});

test('/metrics answers at once for ten queues, also when it reads them', async () => {
    const { fresh, kept } = await metrics_of_ten_queues(site, 11);
    report('speed', { 'read anew, best ms': Math.min(...fresh).toFixed(1), 'in between, median ms': median(kept).toFixed(1), answers: fresh.length + kept.length });
    assert.ok(fresh.length >= 2 && fresh.length <= 4, `read ${fresh.length} times in 11 s`);
    assert.ok(Math.min(...fresh) <= bounds.metrics_ms && median(kept) <= bounds.metrics_ms, JSON.stringify(fresh));
});

test('the depth costs one call of Redis per 5 s and process, however often it is asked for', async () => {
    const reads = await depth_reads(site, 11);
    report('speed', { 'depth reads in 11 s': reads });
    assert.ok(reads >= 2 && reads <= 3, `${reads} reads`);
});
