// Shows openapi.json as a page.
'use strict';

function element(name, text, parent) {
  const e = document.createElement(name);
  if (text !== undefined && text !== null) e.textContent = text;
  if (parent) parent.append(e);
  return e;
}

const resolve = (doc, node) => {
  if (!node || !node.$ref) return node;
  return resolve(doc, node.$ref.slice(2).split('/').reduce((at, word) => at[word.replace(/~1/g, '/').replace(/~0/g, '~')], doc));
};

function table(parent, heads, rows) {
  if (!rows.length) return;
  const t = element('table', null, parent);
  const head = element('tr', null, element('thead', null, t));
  for (const h of heads) element('th', h, head);
  const body = element('tbody', null, t);
  for (const cells of rows) {
    const row = element('tr', null, body);
    for (const c of cells) element('td', c, row);
  }
}

function showOperation(doc, parent, path, method, shared, op) {
  const box = element('details', null, parent);
  box.id = op.operationId;
  const line = element('summary', null, box);
  element('code', method.toUpperCase(), line).className = 'method';
  element('code', path, line);
  element('span', ` ${op.summary || ''}`, line);
  if (op.description) element('p', op.description, box);
  const parameters = [...(shared || []), ...(op.parameters || [])].map((p) => resolve(doc, p));
  table(box, ['Parameter', 'In', 'Schema', 'Meaning'],
    parameters.map((p) => [p.name + (p.required ? ' *' : ''), p.in, JSON.stringify(resolve(doc, p.schema)), p.description || '']));
  const body = resolve(doc, op.requestBody);
  for (const [type, media] of Object.entries(body ? body.content : {})) {
    element('p', `Body: ${type}`, box);
    element('pre', JSON.stringify(resolve(doc, media.schema), null, 2), box);
  }
  table(box, ['Status', 'Answer', 'Types'], Object.entries(op.responses).map(([status, ref]) => {
    const r = resolve(doc, ref);
    return [status, r.description, Object.keys(r.content || {}).join(', ')];
  }));
}

async function show() {
  const doc = await (await fetch('openapi.json')).json();
  document.getElementById('about').textContent = doc.info.description;
  const main = document.getElementById('operations');
  const methods = ['get', 'put', 'post', 'delete', 'patch'];
  for (const tag of doc.tags) {
    element('h2', tag.name, main);
    element('p', tag.description, main);
    for (const [path, item] of Object.entries(doc.paths))
      for (const method of methods)
        if (item[method] && item[method].tags.includes(tag.name)) showOperation(doc, main, path, method, item.parameters, item[method]);
  }
}

show().catch((e) => { document.getElementById('about').textContent = e.message; });
