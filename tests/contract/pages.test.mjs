// The pages of the gateway in a DOM (jsdom), against the running gateway.
import test from 'node:test';
import assert from 'node:assert/strict';
import { JSDOM, VirtualConsole } from 'jsdom';
import { operations } from './lib/document.mjs';
import { keys, send, shop } from './lib/client.mjs';

const base = process.env.GATEWAY_URL ?? 'http://127.0.0.1:1';

async function until(what) {
    const end = Date.now() + 20_000;
    for (;;) {
        const done = what();
        if (done) return done;
        assert.ok(Date.now() < end, `not in time: ${what}`);
        await new Promise((r) => setTimeout(r, 20));
    }
}

/** Opens a page with its script running; what it throws fails the test. */
async function open(path) {
    const errors = [];
    const virtualConsole = new VirtualConsole();
    virtualConsole.on('jsdomError', (e) => errors.push(e));
    const dom = await JSDOM.fromURL(base + path, {
        runScripts: 'dangerously',
        resources: 'usable',
        virtualConsole,
        beforeParse(window) { window.fetch = (to, options) => fetch(new URL(to, base + path), options); },
    });
    const find = (selector) => dom.window.document.querySelector(selector);
    return { dom, find, errors };
}

async function enter(key) {
    const page = await open('/');
    await until(() => !page.find('#enter').hidden);
    page.find('#key').value = key;
    page.find('#enter').dispatchEvent(new page.dom.window.Event('submit', { cancelable: true }));
    return page;
}

const buttons = (page) => [...page.find('#actions').querySelectorAll('button')].map((b) => b.textContent);

test('an administrator sees counts, workers and jobs, and can pause, resume and cancel', async () => {
    const body = JSON.stringify({ source: 'demo.shop', filters: { shop }, delay: 600_000 });
    const { job_id: id } = JSON.parse((await send('POST', '/scraping/start', { body })).text);
    const page = await enter(keys.admin);
    await until(() => page.find('#counts dd'));
    await until(() => page.find('#workers tbody tr'));
    assert.deepEqual(buttons(page), ['Pause', 'Retry failed', 'Promote delayed']);
    page.find('#actions button').click();
    await until(() => buttons(page)[0] === 'Resume' && page.find('#name').textContent.includes('paused'));
    page.find('#actions button').click();
    await until(() => buttons(page)[0] === 'Pause');

    page.find('#state').value = 'delayed';
    page.find('#state').dispatchEvent(new page.dom.window.Event('change'));
    const row = () => [...page.dom.window.document.querySelectorAll('#jobs tbody tr')].find((r) => r.cells[0].textContent === id);
    (await until(row)).querySelector('a').click();
    await until(() => page.find('#detail').textContent.includes(`"job_id": "${id}"`));
    (await until(row)).querySelector('button').click();
    await until(() => !row());
    assert.equal((await send('GET', `/scraping/jobs/${id}`)).status, 404);
    assert.deepEqual(page.errors, []);
    page.dom.window.close();
});

const makeKey = async (...scopes) => JSON.parse((await send('POST', '/api-keys', { body: JSON.stringify({ scopes }) })).text).key;

test('who scrapes sees jobs and no queue, who reads neither', async () => {
    const { job_id: id } = JSON.parse((await send('POST', '/scraping/start', { body: JSON.stringify({ source: 'demo.shop', filters: { shop }, delay: 600_000 }) })).text);
    const page = await enter(await makeKey('scrape'));
    await until(() => !page.find('#jobs').hidden && page.find('#jobs tbody').textContent.includes(id));
    await send('DELETE', `/scraping/jobs/${id}`);
    assert.ok(page.find('#queue').hidden && page.find('#workers').hidden);
    assert.deepEqual(page.errors, []);
    page.dom.window.close();
    const other = await enter(keys.reader);
    await until(() => other.find('#message').textContent.includes('neither'));
    assert.ok(other.find('#main').hidden);
    other.dom.window.close();
});

test('who watches sees the counts without buttons and jobs', async () => {
    const page = await enter(await makeKey('metrics'));
    await until(() => page.find('#counts dd'));
    assert.deepEqual(buttons(page), []);
    assert.ok(page.find('#jobs').hidden);
    assert.deepEqual(page.errors, []);
    page.dom.window.close();
});

test('a wrong key is told so', async () => {
    const page = await enter('ttk_nonsense');
    await until(() => page.find('#message').textContent.includes('unknown'));
    assert.ok(page.find('#main').hidden);
    page.dom.window.close();
});

test('/docs shows every operation', async () => {
    const page = await open('/docs');
    await until(() => page.dom.window.document.querySelectorAll('details').length === operations.length);
    for (const op of operations) assert.ok(page.find(`#${op.id}`), op.id);
    assert.deepEqual(page.errors, []);
    page.dom.window.close();
});
