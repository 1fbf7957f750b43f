// docs/openapi.yaml as the tests use it: its operations, and what an answer must look like.
import { readFileSync } from 'node:fs';
import assert from 'node:assert/strict';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

export const file = new URL('../../../docs/openapi.yaml', import.meta.url);
export const doc = parse(readFileSync(file, 'utf8'));

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ $id: 'openapi', ...doc });

const escape = (word) => encodeURIComponent(word.replace(/~/g, '~0').replace(/\//g, '~1'));

/** Follows $ref; gives the node and where it is, as words of a JSON pointer. */
function resolve(node, words) {
    while (node?.$ref) {
        words = node.$ref.slice(2).split('/').map((w) => w.replace(/~1/g, '/').replace(/~0/g, '~'));
        node = words.reduce((at, w) => at[w], doc);
    }
    return { node, words };
}
export const deref = (node) => resolve(node, []).node;

/** A function that is true for valid values and leaves `errors`. */
export const validator = (words) => ajv.compile({ $ref: `openapi#/${words.map(escape).join('/')}` });
export const isValid = (schema, value) => ajv.compile(absolute(schema))(value);
const absolute = (schema) => JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'));

const methods = ['get', 'put', 'post', 'delete', 'patch'];

/** Every operation: id, method, path template, parameters, schema of its body, responses by status. */
export const operations = Object.entries(doc.paths).flatMap(([path, item]) =>
    methods.filter((m) => item[m]).map((method) => {
        const op = item[method];
        return {
            id: op.operationId,
            method: method.toUpperCase(),
            path,
            isPublic: Array.isArray(op.security) && op.security.length === 0,
            scope: op['x-scope'],
            parameters: [...(item.parameters ?? []), ...(op.parameters ?? [])].map(deref),
            body: op.requestBody ? deref(deref(op.requestBody).content['application/json'].schema) : null,
            responses: op.responses,
        };
    }));

export const methodsOf = (path) => methods.filter((m) => doc.paths[path][m]).map((m) => m.toUpperCase());

/** Throws unless the document says that this operation may answer so. */
export function checkAnswer(op, answer, what = '') {
    const about = `${what} ${op.method} ${answer.path} -> ${answer.status} ${answer.text.slice(0, 600)}`;
    assert.ok(answer.status in op.responses, `${op.id}: status is not documented. ${about}`);
    const { node: response, words } = resolve(op.responses[answer.status],
        ['paths', op.path, op.method.toLowerCase(), 'responses', String(answer.status)]);
    for (const [name, header] of Object.entries(response.headers ?? {})) {
        const value = answer.headers[name.toLowerCase()];
        if (value !== undefined) assert.ok(isValid(deref(header).schema, value), `${op.id}: header ${name}: ${value}. ${about}`);
    }
    const types = Object.keys(response.content ?? {});
    const type = (answer.headers['content-type'] ?? '').split(';')[0];
    if (answer.status === 204 || answer.status === 304) assert.equal(answer.text, '', `${op.id}: a body. ${about}`);
    if (!types.length) return;
    assert.ok(types.includes(type), `${op.id}: content type ${type}. ${about}`);
    if (!type.endsWith('json')) return;
    const valid = validator([...words, 'content', type, 'schema']);
    const body = JSON.parse(answer.text);
    assert.ok(valid(body), `${op.id}: ${ajv.errorsText(valid.errors)}. ${about}`);
    if (type === 'application/problem+json') {
        assert.equal(body.status, answer.status, about);
        assert.equal(body.request_id, answer.headers['x-request-id'], about);
    }
}
