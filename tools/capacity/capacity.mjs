#!/usr/bin/env node
// How many machines for how many users, and what they cost.
//
//   tools/capacity/capacity.mjs                 the tables
//   tools/capacity/capacity.mjs --users 2000    one size, with every step
//   tools/capacity/capacity.mjs --inputs FILE   other inputs than tools/capacity/inputs.json
//   tools/capacity/capacity.mjs --write         writes docs/capacity.md and docs/capacity.svg
//   tools/capacity/capacity.mjs --check         fails if they are not what the inputs give
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chart, page } from './page.mjs';
import { price, size } from './model.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const docs = join(here, '../../docs');

function fail(text) {
    process.stderr.write(`capacity.mjs: ${text}\n`);
    process.exit(2);
}

const options = { inputs: join(here, 'inputs.json') };
const args = process.argv.slice(2);
while (args.length) {
    const arg = args.shift();
    if (arg === '--users') options.users = Number(args.shift());
    else if (arg === '--inputs') options.inputs = args.shift() ?? fail('--inputs needs a file');
    else if (arg === '--write' || arg === '--check') options[arg.slice(2)] = true;
    else fail(`unknown argument ${arg} (see the head of the file)`);
}
if ('users' in options && !(options.users >= 1)) fail('--users needs a number above 0');

const inputs = JSON.parse(readFileSync(options.inputs, 'utf8'));
const files = { 'capacity.md': page(inputs), 'capacity.svg': chart(inputs) };
if (options.users) {
    const s = size(options.users, inputs);
    for (const [name, value] of Object.entries(s)) console.log(`${name.padEnd(20)} ${Number(value.toPrecision(4))}`);
    console.log('\nUSD a month');
    for (const [name, value] of Object.entries(price(s, inputs))) console.log(`${name.padEnd(20)} ${Math.round(value)}`);
} else if (options.write) {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(docs, name), text);
} else if (options.check) {
    for (const [name, text] of Object.entries(files)) {
        if (readFileSync(join(docs, name), 'utf8') !== text) fail(`docs/${name} is not what the inputs give: run it with --write`);
    }
    console.log('docs/capacity.md and docs/capacity.svg are what the inputs give');
} else {
    process.stdout.write(files['capacity.md']);
}
