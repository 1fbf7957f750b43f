// Sends, for every operation and parameter of docs/openapi.yaml, what nobody should send. What the document forbids must be
// answered by a documented 4xx problem, what it allows by anything documented but 5xx; nothing may hang.
import test from 'node:test';
import assert from 'node:assert/strict';
import { checkAnswer, deref, isValid, operations } from './lib/document.mjs';
import { send, shop } from './lib/client.mjs';
import { brokenBodies, members, texts, wrongEncodings, wrongRoots } from './lib/values.mjs';

const order = { source: 'demo.shop', filters: { shop }, delay: 600_000 };
const { delay, ...scheduled } = order;
const bodies = {
    startScraping: order,
    startScrapingBatch: { items: [order] },
    putSchedule: { ...scheduled, every: 31_622_400_000 },
    createUser: { email: 'someone@example.test' },
    createApiKey: { scopes: ['read'] },
    writeCopy: { product_id: 999_999_999 },
    cleanQueue: { state: 'failed', grace: 31_622_400_000 },
};
const places = { id: '999999999', name: 'no-such-queue', scope: 'no-such-scope', file: 'no-such-file' };
const names = { putSchedule: 'bad-input', cleanQueue: 'scraping' };

const fill = (op, values = {}) => op.path.replace(/\{(\w+)\}/g, (_, n) => values[n] ?? encodeURIComponent(names[op.id] ?? places[n]));

let sent = 0;
async function expect(op, target, options, want, what) {
    const answer = await send(op.method, target, options);
    ++sent;
    checkAnswer(op, answer, what);
    // Copy needs an endpoint, which is not there.
    const isClosed = op.id === 'writeCopy' && answer.status === 503 && answer.text.includes('copy_not_configured');
    assert.ok(answer.status < 500 || isClosed, `${op.id} ${what}: ${answer.status} ${answer.text}`);
    assert.equal(answer.headers['x-evil'], undefined, `${op.id} ${what}: a header was injected`);
    if (want) assert.ok(want.includes(answer.status), `${op.id} ${what}: ${answer.status} instead of ${want}: ${answer.text}`);
}

const bodyOf = (op, change = {}) => (op.body ? JSON.stringify({ ...bodies[op.id], ...change }) : undefined);

/** The value that the text of a parameter stands for, if the schema could mean one. */
function meaning(schema, text) {
    const { type } = deref(schema);
    if (type === 'integer') return /^-?\d+$/.test(text) ? Number(text) : text;
    if (type === 'boolean') return { true: true, false: false, 1: true, 0: false }[text] ?? text;
    return text;
}

for (const op of operations) {
    const base = { body: bodyOf(op) };

    test(`${op.id}: query`, async () => {
        if (op.path.startsWith('/health')) return; // probes may say what they like
        await expect(op, `${fill(op)}?no_such_parameter=1`, base, [422], 'unknown parameter');
        await expect(op, `${fill(op)}?%zz=1`, base, [400], 'broken name');
        for (const p of op.parameters.filter((q) => q.in === 'query')) {
            for (const text of texts) {
                const target = `${fill(op)}?${p.name}=${encodeURIComponent(text)}`;
                const allowed = isValid(deref(p.schema), meaning(p.schema, text));
                await expect(op, target, base, allowed ? null : [422], `${p.name}=${text.slice(0, 40)}`);
            }
            for (const text of wrongEncodings)
                await expect(op, `${fill(op)}?${p.name}=${text}`, base, [400], `${p.name}=${text}`);
            await expect(op, `${fill(op)}?${p.name}=1&${p.name}=1`, base, [422], `${p.name} twice`);
        }
    });

    test(`${op.id}: path`, async () => {
        for (const p of op.parameters.filter((q) => q.in === 'path')) {
            for (const text of wrongEncodings)
                await expect(op, fill(op, { [p.name]: text === '' ? 'x' : text }), base, [400], `${p.name} ${text}`);
            // Names that the queue uses for itself are no jobs.
            for (const text of [...texts.filter((t) => t !== ''), 'meta', 'wait', 'events', 'id', 'stalled', 'repeat:x:1', 'de:x'])
                await expect(op, fill(op, { [p.name]: encodeURIComponent(text) }), base, null, `${p.name} ${text.slice(0, 40)}`);
        }
    });

    test(`${op.id}: headers`, async () => {
        for (const p of op.parameters.filter((q) => q.in === 'header'))
            for (const text of ['x'.repeat(300), '"', ',', ';;', 'é', '0/0', '*', 'W/', '18446744073709551616-1'])
                await expect(op, fill(op), { ...base, headers: { [p.name]: text } }, null, `${p.name}: ${text.slice(0, 40)}`);
    });

    if (!op.body) continue;
    test(`${op.id}: body`, async () => {
        const target = fill(op);
        for (const text of brokenBodies) await expect(op, target, { body: text }, [400], `body ${text.toString().slice(0, 40)}`);
        for (const text of wrongRoots) await expect(op, target, { body: text }, [422], `body ${text}`);
        for (const type of ['text/plain', 'application/xml', 'application/x-www-form-urlencoded'])
            await expect(op, target, { ...base, headers: { 'content-type': type } }, [415], type);
        await expect(op, target, { body: bodyOf(op, { no_such_member: 1 }) }, [422], 'unknown member');
        await expect(op, target, { body: `{"x":"${'x'.repeat(2 << 20)}"}` }, [413], 'too large');
        for (const name of op.body.required ?? []) {
            const { [name]: gone, ...rest } = bodies[op.id];
            await expect(op, target, { body: JSON.stringify(rest) }, [422], `without ${name}`);
        }
        for (const [name, schema] of Object.entries(op.body.properties)) {
            const { minimum, maximum, maxLength } = deref(schema);
            const beyond = [minimum - 1, maximum + 1, 'x'.repeat((maxLength ?? 0) + 1)].filter((v) => typeof v === 'string' || Number.isFinite(v));
            for (const value of [...members, ...beyond]) {
                const allowed = isValid(deref(schema), value);
                await expect(op, target, { body: bodyOf(op, { [name]: value }) }, allowed ? null : [422],
                    `${name}: ${JSON.stringify(value).slice(0, 40)}`);
            }
        }
    });
}

test('thousands of them were sent', () => {
    console.log(`${sent} requests`);
    assert.ok(sent > 2000);
});
