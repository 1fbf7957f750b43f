// Drives every operation of docs/openapi.yaml on a running gateway; every answer is checked against the document.
import test from 'node:test';
import assert from 'node:assert/strict';
import { Script } from 'node:vm';
import { checkAnswer, doc, methodsOf, operations } from './lib/document.mjs';
import { keys, send, shop } from './lib/client.mjs';

const byId = new Map(operations.map((op) => [op.id, op]));
const statuses = new Map(operations.map((op) => [op.id, new Set()]));

const fill = (path, values) => path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name]));

/** Calls an operation and checks its answer; `expected` is the status. */
async function call(id, expected, { path = {}, query = '', body, ...rest } = {}) {
    const op = byId.get(id);
    const target = fill(op.path, path) + (query && `?${query}`);
    const answer = await send(op.method, target, { body: body === undefined ? undefined : JSON.stringify(body), ...rest });
    checkAnswer(op, answer);
    assert.equal(answer.status, expected, `${id} ${target}: ${answer.text}`);
    statuses.get(id).add(answer.status);
    const type = answer.headers['content-type'] ?? '';
    return { ...answer, json: type.includes('json') && answer.text ? JSON.parse(answer.text) : null };
}

async function until(what, limit = 60_000) {
    const end = Date.now() + limit;
    for (;;) {
        const done = await what();
        if (done) return done;
        assert.ok(Date.now() < end, `not in time: ${what}`);
        await new Promise((r) => setTimeout(r, 50));
    }
}

const order = { source: 'demo.shop', filters: { shop } };
const later = { ...order, delay: 600_000 };
const finished = (id) => until(async () => {
    const job = (await call('getJob', 200, { path: { id } })).json;
    return ['completed', 'failed'].includes(job.state) && job;
});

test('scraping', async () => {
    const started = await call('startScraping', 202, { body: order, headers: { 'idempotency-key': 'contract-1' } });
    assert.equal(started.headers.location, started.json.status_url);
    await call('startScraping', 422, { body: later, headers: { 'idempotency-key': 'contract-1' } }); // another body
    const id = started.json.job_id;
    const job = await finished(id);
    assert.equal(job.state, 'completed', JSON.stringify(job));
    const events = await call('followJob', 200, { path: { id } });
    assert.match(events.text, /event: state/);
    await call('followJob', 200, { path: { id }, headers: { 'last-event-id': '0-0' } });
    await call('retryJob', 409, { path: { id } });
    await call('cancelJob', 409, { path: { id } });

    const batch = await call('startScrapingBatch', 202, { body: { items: [later, { source: 'nope' }, 7] } });
    assert.equal(batch.json.accepted, 1);
    const waiting = batch.json.items[0].job_id;
    const page = await call('listJobs', 200, { query: 'limit=1' });
    await call('listJobs', 200, { query: `limit=1&cursor=${page.json.next_cursor}` });
    await call('listJobs', 200, { query: 'state=delayed' });
    await call('cancelJob', 204, { path: { id: waiting } });
    await call('getJob', 404, { path: { id: waiting } });
    for (const op of ['retryJob', 'cancelJob', 'followJob']) await call(op, 404, { path: { id: waiting } });
});

test('a job that fails can be cancelled, retried and looked at', async () => {
    const wrong = { ...order, filters: { shop: 'http://127.0.0.1:1' }, attempts: 1 };
    const { job_id: id } = (await call('startScraping', 202, { body: wrong })).json;
    const job = await finished(id);
    assert.equal(job.state, 'failed');
    assert.ok(job.failed_reason);
    await call('retryJob', 202, { path: { id } });
    await finished(id);
});

test('schedules', async () => {
    const path = { id: 'contract.nightly' };
    const cron = { ...order, cron: '0 3 1 1 *', tz: 'Europe/Berlin' };
    await call('putSchedule', 201, { path, body: cron });
    await call('putSchedule', 200, { path, body: { ...cron, limit: 5, priority: 1 } });
    assert.equal((await call('getSchedule', 200, { path })).json.limit, 5);
    const list = (await call('listSchedules', 200)).json.items;
    assert.ok(list.some((s) => s.id === path.id));
    await call('deleteSchedule', 204, { path });
    await call('deleteSchedule', 404, { path });
    await call('getSchedule', 404, { path });
});

test('sources', async () => {
    const list = await call('listSources', 200);
    await call('listSources', 304, { headers: { 'if-none-match': list.headers.etag } });
    for (const s of list.json.items) await call('getSource', 200, { path: { id: s.id } });
    assert.ok(list.json.items.some((s) => s.kind === 'alias'));
    await call('getSource', 404, { path: { id: 'nope' } });
});

test('products', async () => {
    const page = await call('listProducts', 200, { query: 'source=demo.shop&sort=rating&order=asc&limit=5&active=true' });
    assert.equal(page.json.items.length, 5);
    await call('listProducts', 200, { query: `source=demo.shop&sort=rating&order=asc&limit=5&active=true&cursor=${page.json.next_cursor}` });
    await call('listProducts', 304, { query: 'source=demo.shop&sort=rating&order=asc&limit=5&active=true', headers: { 'if-none-match': page.headers.etag } });
    await call('listProducts', 406, { headers: { 'accept-encoding': 'identity;q=0, gzip;q=0' } });
    const [first] = page.json.items;
    const word = first.title.split(' ')[0];
    const found = (await call('listProducts', 200, { query: `q=${encodeURIComponent(word)}&sort=price` })).json.items;
    assert.ok(found.length > 0);
    const path = { id: first.id };
    await call('getProduct', 200, { path });
    await call('getProduct', 404, { path: { id: 999_999_999 } });
    assert.ok((await call('getProductHistory', 200, { path, query: 'limit=1' })).json.items.length === 1);
    await call('getProductHistory', 404, { path: { id: 999_999_999 } });
    await call('getTrending', 200);
    assert.ok((await call('listCategories', 200)).json.items.length > 0);
});

test('copy without an endpoint says what is missing', async () => {
    const answer = await call('writeCopy', 503, { body: { product_id: 1 } });
    assert.equal(answer.json.code, 'copy_not_configured');
});

test('users and keys', async () => {
    const email = `contract-${process.pid}@example.test`;
    const user = (await call('createUser', 201, { body: { email, subject: `sub-${process.pid}` } })).json;
    await call('createUser', 409, { body: { email } });
    await call('getMe', 200);
    await call('getMyQuota', 200);
    const made = (await call('createApiKey', 201, { body: { name: 'contract', scopes: ['read'], expires_in: 3600, user_id: user.id } })).json;
    await call('getMe', 200, { key: made.key });
    await call('createApiKey', 403, { key: made.key, body: { scopes: ['admin'] } });
    await call('listApiKeys', 200, { query: `user_id=${user.id}` });
    await call('listApiKeys', 404, { key: made.key, query: 'user_id=1' });
    await call('revokeApiKey', 404, { key: keys.reader, path: { id: made.id } });
    await call('revokeApiKey', 204, { path: { id: made.id } });
    await call('getMe', 401, { key: made.key });
});

test('operation', async () => {
    const queue = (await call('listQueues', 200)).json.items[0].name;
    const path = { name: queue };
    await call('getQueue', 200, { path });
    await call('getQueue', 403, { path, key: keys.reader });
    const { key } = (await call('createApiKey', 201, { body: { scopes: ['metrics'] } })).json; // watches, and changes nothing
    for (const id of ['listQueues', 'getQueue']) await call(id, 200, { path, key });
    await call('pauseQueue', 403, { path, key });
    await call('pauseQueue', 200, { path });
    await call('resumeQueue', 200, { path });
    await call('cleanQueue', 200, { path, body: { state: 'completed', grace: 1000, limit: 1 } });
    await call('retryFailedJobs', 200, { path });
    await call('promoteDelayedJobs', 200, { path });
    await call('getQueueDepth', 200, { query: `queue=${queue}` });
    for (const id of ['getQueue', 'pauseQueue', 'resumeQueue', 'retryFailedJobs', 'promoteDelayedJobs']) await call(id, 404, { path: { name: 'nope' } });
    await call('cleanQueue', 404, { path: { name: 'nope' }, body: {} });
    for (const scope of ['products', 'copy', 'categories', 'quota']) await call('clearCache', 204, { path: { scope } });
    await call('clearCache', 404, { path: { scope: 'nope' } });
});

test('health and pages', async () => {
    for (const id of ['getHealth', 'getLiveness', 'getReadiness', 'getServing', 'getDashboard', 'getDocs']) await call(id, 200, { key: null });
    const served = await call('getOpenApi', 200, { key: null });
    assert.deepEqual(served.json, JSON.parse(JSON.stringify(doc)), 'what is served is docs/openapi.yaml');
    for (const f of ['style.css', 'docs.js', 'dashboard.js']) {
        const { text } = await call('getWebFile', 200, { key: null, path: { file: f } });
        if (f.endsWith('.js')) assert.doesNotThrow(() => new Script(text), f); // it parses
    }
    await call('getWebFile', 404, { key: null, path: { file: 'nope' } });
    for (const page of ['/', '/docs']) {
        const html = (await send('GET', page)).text;
        assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//, 'nothing comes from elsewhere');
    }
});

test('who may not is told so', async () => {
    for (const op of operations.filter((o) => !o.isPublic)) {
        const path = fill(op.path, { id: '1', name: 'scraping', scope: 'products', file: 'x' });
        for (const [key, status] of [[null, 401], ['ttk_nonsense', 401], [keys.reader, ['read', ''].includes(op.scope) ? null : 403]]) {
            if (status === null) continue;
            const answer = await send(op.method, path, { key, body: op.body ? '{}' : undefined });
            checkAnswer(op, answer);
            assert.equal(answer.status, status, `${op.id}: ${answer.text}`);
        }
    }
});

test('the methods that a path knows are the documented ones', async () => {
    for (const path of Object.keys(doc.paths)) {
        const answer = await send('OPTIONS', fill(path, { id: '1', name: 'x', scope: 'x', file: 'x' }));
        const allowed = (answer.headers.allow ?? '').split(',').map((m) => m.trim()).filter((m) => m !== 'OPTIONS' && m !== 'HEAD');
        assert.deepEqual(allowed.sort(), methodsOf(path).sort(), path);
    }
});

test('every operation was driven', () => {
    // Copy is written with an endpoint only: tests/e2e/gateway has one.
    const missed = [...statuses].filter(([id, seen]) => id !== 'writeCopy' && ![...seen].some((s) => s < 300)).map(([id]) => id);
    assert.deepEqual(missed, []);
});
