// The limits of docs/openapi.yaml against those of the code, for every parameter and every member of a body: what is just within
// is accepted, what is just beyond is refused with that very limit in words, choices are the same, and defaults are what is
// used when nothing is said.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkAnswer, deref, doc, operations } from './lib/document.mjs';
import { send, shop } from './lib/client.mjs';

const order = { source: 'demo.shop', filters: { shop }, delay: 600_000 };
const { delay, ...scheduled } = order;
const bodies = {
    startScraping: order,
    startScrapingBatch: { items: [{}] },
    putSchedule: { ...scheduled, every: 31_622_400_000 },
    createUser: { email: 'boundary@example.test' },
    createApiKey: { scopes: ['read'] },
    writeCopy: { product_id: 999_999_999 },
    cleanQueue: { state: 'failed', grace: 31_622_400_000 },
};
const places = { id: '999999999', name: 'scraping', scope: 'products', file: 'style.css' };
const target = (op, query = '') => op.path.replace(/\{(\w+)\}/g, (_, n) => (op.id === 'putSchedule' ? 'boundary' : places[n])) + query;

const int64 = { minimum: -(2n ** 63n), maximum: 2n ** 63n - 1n };
/** About the value as such; anything else (no such source, no such user, a cursor of another list) is not the document's. */
const kinds = /^(string_|greater_than|less_than|out_of_range|int_|float_|bool_|enum|too_|dict_type|list_type|missing|decimal_)/;

const complaints = (answer, name) => {
    if (answer.status !== 422) return [];
    return (JSON.parse(answer.text).errors ?? []).filter((e) => e.loc.includes(name) && kinds.test(e.type));
};

/** Values at and beyond the limits of a schema: {good, bad, word}; `word` is what the refusal names. */
function edges(schema) {
    const s = deref(schema);
    const out = [];
    const good = (value) => out.push({ value, good: true });
    const bad = (value, word) => out.push({ value, good: false, word: String(word) });
    if (s.enum) {
        for (const value of s.enum) good(value);
        bad(`${s.enum[0]}x`, s.enum.join(', '));
        if (typeof s.enum[0] === 'string') bad(s.enum[0].toUpperCase(), s.enum.join(', '));
    } else if (s.type === 'integer') {
        const lower = BigInt(s.minimum ?? int64.minimum), upper = BigInt(s.maximum ?? int64.maximum);
        good(lower), good(upper);
        bad(lower - 1n, s.minimum ?? ''), bad(upper + 1n, s.maximum ?? '');
    } else if (s.type === 'number') {
        good(s.minimum), good(s.maximum);
        bad(s.minimum - 0.001, s.minimum), bad(s.maximum + 0.001, s.maximum);
    } else if (s.type === 'string' && !s.pattern) {
        assert.ok(s.maxLength, `a text without maxLength: ${JSON.stringify(s)}`);
        good('x'.repeat(s.minLength ?? 0)), good('x'.repeat(s.maxLength));
        bad('x'.repeat(s.maxLength + 1), s.maxLength);
        good('é'.repeat(s.maxLength)); // characters, not bytes
        if (s.minLength) bad('x'.repeat(s.minLength - 1), s.minLength);
    } else if (s.type === 'array') {
        const item = deref(s.items).enum?.[0] ?? {};
        if (s.minItems) bad(Array(s.minItems - 1).fill(item), s.minItems);
        if (s.maxItems) good(Array(s.maxItems).fill(item)), bad(Array(s.maxItems + 1).fill(item), s.maxItems);
    } else if (s.type === 'boolean') {
        good(true), good(false), bad('maybe', 'true or false');
    }
    return out;
}

// BigInt as it is; JSON.stringify would refuse it.
const json = (value) => JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? `@${v}@` : v)).replace(/"@(-?\d+)@"/g, '$1');

let compared = 0;
async function compare(op, name, edge, path, body) {
    const answer = await send(op.method, path, { body });
    const what = `${op.id}: ${name} = ${String(edge.value).slice(0, 40)} (${edge.good ? 'allowed' : 'forbidden'}): ${answer.status} ${answer.text.slice(0, 300)}`;
    checkAnswer(op, answer, what);
    const found = complaints(answer, name);
    ++compared;
    if (edge.good) return assert.deepEqual(found, [], what);
    assert.equal(found.length, 1, what);
    assert.ok(found[0].msg.includes(edge.word), `${what}: the limit is not ${edge.word}`);
}

/** Every member of an object's schema, also of objects in it: name, schema, and how to put a value there. */
function* members(schema, wrap = (change) => change) {
    for (const [name, s] of Object.entries(deref(schema).properties ?? {})) {
        yield [name, s, (value) => wrap({ [name]: value })];
        if (deref(s).properties) yield* members(s, (change) => wrap({ [name]: change }));
    }
}

for (const op of operations) {
    if (op.path.startsWith('/health')) continue;
    test(`${op.id}: limits`, async () => {
        const base = op.body ? json(bodies[op.id]) : undefined;
        for (const p of op.parameters.filter((q) => q.in === 'query'))
            for (const edge of edges(p.schema)) {
                if (edge.value === '') continue;
                await compare(op, p.name, edge, target(op, `?${p.name}=${encodeURIComponent(String(edge.value))}`), base);
            }
        if (!op.body) return;
        for (const [name, schema, put] of members(op.body))
            for (const edge of edges(schema)) await compare(op, name, edge, target(op), json({ ...bodies[op.id], ...put(edge.value) }));
    });

    if (op.method !== 'GET') continue;
    test(`${op.id}: defaults`, async () => {
        for (const p of op.parameters.filter((q) => q.in === 'query' && deref(q.schema).default !== undefined)) {
            const [said, unsaid] = [await send('GET', target(op, `?${p.name}=${deref(p.schema).default}`)), await send('GET', target(op))];
            const plain = (answer) => answer.text.replace(/"instance".*/, ''); // of a problem: each has its own
            assert.equal(plain(said), plain(unsaid), `${op.id}: ${p.name}`);
        }
    });
}

test('every name that the code reads is documented', () => {
    const root = fileURLToPath(new URL('../../apps/gateway/', import.meta.url));
    const known = new Set(operations.flatMap((op) => [...op.parameters.map((p) => p.name), ...(op.body ? [...members(op.body)].map(([name]) => name) : [])]));
    for (const s of Object.values(doc.components.schemas)) for (const [name] of members(s)) known.add(name);
    const read = new Set();
    for (const file of readdirSync(root, { recursive: true }).filter((f) => f.endsWith('.cpp') && !f.startsWith('copy/'))) {
        const text = readFileSync(join(root, file), 'utf8');
        for (const m of text.matchAll(/\b(?:in|query|body|reader|object)\.(?:text|required_text|integer|number|decimal|flag|one_of|object|any)\("(\w+)"/g)) read.add(m[1]);
    }
    assert.ok(read.size > 30, [...read].join());
    assert.deepEqual([...read].filter((name) => !known.has(name)), []);
});

test('hundreds of limits were compared', () => {
    console.log(`${compared} limits`);
    assert.ok(compared > 200, String(compared));
});
