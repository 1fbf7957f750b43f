// tools/bench/run ops: prints what operators were promised beside what was measured.
import fs from 'node:fs';
import { Site } from '../../../tests/fault/scenarios/lib/site.mjs';
import { bounds, depth_reads, median, metrics_of_ten_queues, starts_and_exits } from './measures.mjs';

const [rounds, seconds] = [Number(process.env.ROUNDS ?? 15), Number(process.env.SECONDS_MEASURED ?? 31)];
const site = await new Site().start({ with_gateway: false });
const rows = [];
const row = (name, unit, values, bound) => rows.push({ name, unit, median: median(values), worst: Math.max(...values), n: values.length, bound });
try {
    const times = await starts_and_exits(site, rounds);
    row('gateway, start to ready', 'ms', times.gateway, bounds.ready_ms);
    row('worker, start to ready', 'ms', times.worker, bounds.ready_ms);
    row('idle worker, SIGTERM to exit', 'ms', times.exit, bounds.idle_exit_ms);
    const answers = await metrics_of_ten_queues(site, seconds);
    row('/metrics of 10 queues, read anew', 'ms', answers.fresh, bounds.metrics_ms);
    row('/metrics of 10 queues, in between', 'ms', answers.kept, bounds.metrics_ms);
    row(`depth reads in ${seconds} s, scraped 10 times a second`, 'calls', [await depth_reads(site, seconds)], Math.ceil(seconds / bounds.depth_every_s));
} finally {
    await site.end();
}
const number = (x) => (x >= 100 || Number.isInteger(x) ? x.toFixed(0) : x.toFixed(1));
console.log('| | Unit | Median | Worst | Rounds | Bound |\n|---|---|---|---|---|---|');
for (const r of rows) console.log(`| ${r.name} | ${r.unit} | ${number(r.median)} | ${number(r.worst)} | ${r.n} | ${r.bound}${r.median <= r.bound ? '' : ', not reached'} |`);
if (process.env.JSON_FILE) fs.writeFileSync(process.env.JSON_FILE, JSON.stringify(rows, null, 1));
process.exit(0); // kept-alive connections would hold it
