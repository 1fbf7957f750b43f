// The error codes of the document and those that stand in the gateway's sources are the same, with the same statuses.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { doc } from './lib/document.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const files = ['apps/gateway', 'libs/core/http/src'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true }).filter((f) => /\.[ch]pp$/.test(f)).map((f) => join(root, folder, f)));

// Functions that make a problem of a fixed status; everything else names status and code side by side.
const makers = { unauthorized: 401, reduced: 503 };
// Who passes a code on that was named elsewhere.
const passers = /problem[({]\s*(status, std::move\(code\)|401, std::move\(code\)|503, std::move\(code\)|why\.status, why\.code|int status)/g;

function codesOf(text) {
    const out = [...text.matchAll(/[({\s]([45]\d\d),\s*"([a-z_]+)"/g)].map((m) => [m[2], Number(m[1])]);
    for (const [name, status] of Object.entries(makers))
        for (const m of text.matchAll(new RegExp(`\\b${name}\\(\\s*"([a-z_]+)"`, 'g'))) out.push([m[1], status]);
    return out;
}

test('every code that the gateway can send is documented, and no other', () => {
    const sent = new Map();
    for (const file of files) for (const [code, status] of codesOf(readFileSync(file, 'utf8'))) sent.set(code, (sent.get(code) ?? new Set()).add(status));
    const described = doc.components.schemas.Problem['x-error-codes'];
    const flat = (entries) => entries.map(([code, status]) => `${status} ${code}`).sort();
    assert.deepEqual(flat(Object.entries(described).map(([code, d]) => [code, d.status])),
        flat([...sent].flatMap(([code, statuses]) => [...statuses].map((s) => [code, s]))));
    assert.deepEqual(Object.keys(described), doc.components.schemas.Problem.properties.code.enum);
});

test('no problem is made in a way that the first test does not see', () => {
    for (const file of files) {
        const text = readFileSync(file, 'utf8').replaceAll(passers, '');
        for (const m of text.matchAll(/\bproblem[({]\s*(?:[45]\d\d|status)\s*,\s*([^"\s])/g)) assert.fail(`${file}: ${m[0]}`);
        for (const m of text.matchAll(/\bproblem[({][^;]{0,40}\?[^;]{0,40}"[a-z_]+"\s*:/g)) assert.fail(`${file}: a code by condition: ${m[0]}`);
    }
});
