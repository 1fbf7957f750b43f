// The dashboard: reads the same API as everybody, with the key that was typed in. Text from the server is only ever set as
// textContent, never as markup.
'use strict';

const $ = (id) => document.getElementById(id);
const states = ['', 'active', 'prioritized', 'waiting', 'delayed', 'waiting-children', 'failed', 'completed'];
let key = sessionStorage.getItem('key');
let queue = null; // name of the queue that is shown
let cursor = null;
let isAdmin = false;
let seesJobs = false;
let seesQueues = false;

function element(name, text, parent) {
  const e = document.createElement(name);
  if (text !== undefined && text !== null) e.textContent = text;
  if (parent) parent.append(e);
  return e;
}

function say(text) { $('message').textContent = text; }

async function call(method, path, body) {
  const headers = { Authorization: `Bearer ${key}` };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const r = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await r.text();
  const json = text ? JSON.parse(text) : null;
  if (r.ok) return json;
  if (r.status === 401) leave();
  throw new Error(json && json.detail ? json.detail : `${r.status} ${r.statusText}`);
}

function leave() {
  sessionStorage.removeItem('key');
  key = null;
  $('main').hidden = true;
  $('leave').hidden = true;
  $('enter').hidden = false;
}

async function attempt(what) {
  try {
    say('');
    await what();
  } catch (e) {
    say(e.message);
  }
}

function button(text, parent, action) {
  const b = element('button', text, parent);
  b.type = 'button';
  b.addEventListener('click', () => attempt(async () => { await action(); await refresh(); }));
  return b;
}

function showQueue(q) {
  $('name').textContent = q.name + (q.paused ? ' (paused)' : '');
  const counts = $('counts');
  counts.replaceChildren();
  const oldest = `${Math.round(q.oldest_waiting_ms / 1000)} s`;
  for (const [name, n] of [...Object.entries(q.counts), ['depth', q.depth], ['oldest waiting', oldest]]) {
    const pair = element('div', null, counts);
    element('dt', name, pair);
    element('dd', n, pair);
  }
  const actions = $('actions');
  actions.replaceChildren();
  if (isAdmin) {
    const base = `queues/${encodeURIComponent(q.name)}`;
    button(q.paused ? 'Resume' : 'Pause', actions, () => call('POST', `${base}/${q.paused ? 'resume' : 'pause'}`));
    button('Retry failed', actions, () => call('POST', `${base}/retry-failed`));
    button('Promote delayed', actions, () => call('POST', `${base}/promote`));
  }
  const rows = $('workers').querySelector('tbody');
  rows.replaceChildren();
  for (const w of q.workers) {
    const row = element('tr', null, rows);
    element('td', w.name || '(no name)', row);
    element('td', w.address, row);
    element('td', `${w.age_s} s`, row);
  }
}

function showJobs(jobs, keep) {
  const rows = $('jobs').querySelector('tbody');
  if (!keep) rows.replaceChildren();
  for (const j of jobs) {
    const row = element('tr', null, rows);
    const link = element('a', j.job_id, element('td', null, row));
    link.href = '#';
    link.addEventListener('click', (e) => { e.preventDefault(); attempt(() => showJob(j.job_id)); });
    element('td', j.state, row);
    element('td', j.data && j.data.source, row);
    element('td', j.progress === null ? '' : JSON.stringify(j.progress), row);
    element('td', `${j.attempts_made}/${j.attempts}`, row);
    element('td', j.created_at, row);
    element('td', j.failed_reason, row);
    const what = element('td', null, row);
    const path = `scraping/jobs/${encodeURIComponent(j.job_id)}`;
    if (j.state === 'failed') button('Retry', what, () => call('POST', `${path}/retry`));
    else if (j.state !== 'completed') button('Cancel', what, () => call('DELETE', path));
  }
}

async function showJob(id) {
  const job = await call('GET', `scraping/jobs/${encodeURIComponent(id)}`);
  $('detail').hidden = false;
  $('detail').textContent = JSON.stringify(job, null, 2);
}

async function loadJobs(more) {
  const query = new URLSearchParams({ limit: '20' });
  if ($('state').value) query.set('state', $('state').value);
  if (more && cursor) query.set('cursor', cursor);
  const page = await call('GET', `scraping/jobs?${query}`);
  cursor = page.next_cursor;
  $('more').hidden = !cursor;
  showJobs(page.items, more);
}

async function refresh() {
  if (seesQueues) showQueue(await call('GET', `queues/${encodeURIComponent(queue)}`));
  if (seesJobs) await loadJobs(false);
}

async function enter() {
  const me = await call('GET', 'users/me');
  isAdmin = me.scopes.includes('admin');
  seesJobs = isAdmin || me.scopes.includes('scrape');
  seesQueues = isAdmin || me.scopes.includes('metrics');
  if (!seesJobs && !seesQueues) throw new Error('This key sees neither queues (scope metrics) nor jobs (scope scrape).');
  queue = seesQueues ? (await call('GET', 'queues')).items[0].name : null;
  sessionStorage.setItem('key', key);
  $('enter').hidden = true;
  $('leave').hidden = false;
  $('main').hidden = false;
  $('queue').hidden = $('workers').hidden = !seesQueues;
  $('jobs').hidden = !seesJobs;
  await refresh();
}

for (const s of states) element('option', s || 'all', $('state')).value = s;
$('enter').addEventListener('submit', (e) => { e.preventDefault(); key = $('key').value; $('key').value = ''; attempt(enter); });
$('leave').addEventListener('click', leave);
$('state').addEventListener('change', () => attempt(() => loadJobs(false)));
$('more').addEventListener('click', () => attempt(() => loadJobs(true)));
$('find').addEventListener('change', () => attempt(() => showJob($('find').value.trim())));
// Only the counts are polled: a list under the pointer must not move.
setInterval(() => {
  if (key && queue && !document.hidden) attempt(async () => showQueue(await call('GET', `queues/${encodeURIComponent(queue)}`)));
}, 5000);
if (key) attempt(enter); else leave();
