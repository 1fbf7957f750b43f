// docs/capacity.md and docs/capacity.svg from the inputs.
import { breaks, price, size } from './model.mjs';

const number = (n) => (n === Infinity ? 'never' : Math.round(n).toLocaleString('en-US'));
const some = (n) => (n >= 100 ? number(n) : String(Number(n.toPrecision(2))));
const usd = (n) => `$${number(n)}`;
/** To two digits: more would be a claim. */
const about = (n) => (n === Infinity ? 'never' : number(Number(n.toPrecision(2))));

function table(head, rows) {
    return [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...rows.map((r) => `| ${r.join(' | ')} |`)].join('\n');
}

export function page(inputs) {
    const sizes = inputs.sizes.map((n) => size(n, inputs));
    const prices = sizes.map((s) => price(s, inputs));
    const all = breaks(inputs);
    const million = size(1e6, inputs);
    const parts = ['gateways', 'workers', 'postgresql', 'redis', 'traffic', 'monitoring', 'regions'];
    const listed = ['users', 'costs', 'limits', 'prices'].flatMap((group) => Object.entries(inputs[group]).map(([name, i]) => [`\`${name}\``, i.value, i.unit, i.kind, i.note ?? '']));
    return `# Capacity

Made by \`tools/capacity/capacity.mjs --write\` from \`tools/capacity/inputs.json\`; a test compares. Change an input to what you see, and read it again. What was
measured comes from [benchmarks.md](benchmarks.md); the rest is assumed, and each assumption is listed at the end. One size with every step:
\`tools/capacity/capacity.mjs --users 2000\`.

![Cost by users](capacity.svg)

## Cost

${table(['Users', 'Ours, a month', 'The plan', ...parts], sizes.map((s, i) => [number(s.users), `**${usd(prices[i].total)}**`, inputs.plan[s.users] ? usd(inputs.plan[s.users]) : '–', ...parts.map((p) => usd(prices[i][p]))]))}

The plan's money also had to pay for Node processes that need ${some(90.32 / inputs.costs.post_us.value)} times the CPU of ours for the same request. Up to
${number(inputs.limits.one_server_users.value)} users everything is on one server (\`deploy/compose\`), booked under gateways; a cluster that may lose a machine begins above.

## Machines

In the busiest minutes, which are ${inputs.users.peak_factor.value} times the mean.

${table(['Users', 'Requests/s', 'Jobs/s', 'Pages/s', 'Gateways', 'Workers', 'PostgreSQL cores', 'Replicas', 'Storage', 'Redis CPU', 'Queue shards', 'Regions'], sizes.map((s) => [number(s.users), some(s.requests), some(s.jobs), some(s.pages), s.gateways, number(s.workersPeak), s.primaryCores, s.replicas, `${number(s.storageGb)} GB`, `${some(s.redisCores * 100)} %`, s.shards, s.regions]))}

## What breaks first

${table(['From users', 'What', 'Then'], all.map(([what, at, then]) => [about(at), what, then]))}

At 1 million users: ${million.shards} queue shard${million.shards > 1 ? 's' : ''}, ${million.primaries} PostgreSQL primar${million.primaries > 1 ? 'ies' : 'y'} of at most ${inputs.limits.db_cores_max.value} cores with ${number(million.replicas)} replicas, ${million.partitionsPerMonth} partitions of history a
month, ${million.regions} regions, ${number(million.workersPeak)} workers at the peak. The first thing that breaks is "${all[0][0]}", at ${about(all[0][1])} users; the first that
money alone does not mend is "${all.find(([what]) => /largest primary|one core/.test(what))[0]}", at ${about(all.find(([what]) => /largest primary|one core/.test(what))[1])}. Before any of it, shops: a shop bears so many requests a second, whatever the fleet. Users who ask
for the same shop must share a scrape.

## Inputs

${table(['Input', 'Value', 'Unit', 'Kind', 'What it is'], listed)}
`;
}

export function chart(inputs) {
    const [width, height, left, bottom, right, top] = [760, 420, 70, 50, 30, 40];
    const [fromUsers, toUsers] = [Math.log10(inputs.sizes[0]), Math.log10(inputs.sizes.at(-1))];
    const points = [];
    for (let e = fromUsers; e <= toUsers + 1e-9; e += 0.05) points.push([e, price(size(Math.round(10 ** e), inputs), inputs).total]);
    const dollars = [...points.map((p) => p[1]), ...Object.values(inputs.plan)];
    const [low, high] = [Math.floor(Math.log10(Math.min(...dollars))), Math.ceil(Math.log10(Math.max(...dollars)))];
    const x = (e) => (left + ((width - left - right) * (e - fromUsers)) / (toUsers - fromUsers)).toFixed(1);
    const y = (d) => (height - bottom - ((height - bottom - top) * (Math.log10(d) - low)) / (high - low)).toFixed(1);
    const plan = Object.entries(inputs.plan).map(([n, d]) => [Math.log10(n), d]);
    const line = (list) => list.map(([e, d]) => `${x(e)},${y(d)}`).join(' ');
    const out = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
        '<rect width="100%" height="100%" fill="#fff"/>', `<text x="${left}" y="22" font-size="15" font-weight="bold">USD a month by users</text>`];
    for (let d = low; d <= high; ++d) out.push(`<line x1="${left}" x2="${width - right}" y1="${y(10 ** d)}" y2="${y(10 ** d)}" stroke="#ddd"/><text x="${left - 8}" y="${Number(y(10 ** d)) + 4}" text-anchor="end" fill="#555">${usd(10 ** d)}</text>`);
    for (const n of inputs.sizes) out.push(`<text x="${x(Math.log10(n))}" y="${height - bottom + 20}" text-anchor="middle" fill="#555">${number(n)}</text>`);
    out.push(`<polyline points="${line(points)}" fill="none" stroke="#2471a3" stroke-width="2"/>`, `<polyline points="${line(plan)}" fill="none" stroke="#c0392b" stroke-dasharray="5 4"/>`);
    for (const [e, d] of plan) out.push(`<circle cx="${x(e)}" cy="${y(d)}" r="4" fill="#c0392b"/>`);
    out.push(`<text x="${width - right}" y="22" text-anchor="end" fill="#2471a3">ours</text><text x="${width - right - 40}" y="22" text-anchor="end" fill="#c0392b">the plan</text>`, '</svg>');
    return out.join('\n') + '\n';
}
