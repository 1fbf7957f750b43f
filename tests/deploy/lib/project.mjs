// What the project says about itself: version, variables, metrics.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
export const read = (path) => readFileSync(join(root, path), 'utf8');
export const exists = (path) => existsSync(join(root, path));

export const version = () => /project\(tiktrend VERSION ([0-9.]+)/.exec(read('CMakeLists.txt'))[1];

/** Names in the first column of the tables of docs/configuration.md: of one program, with what the document says of both. */
export function variables(program) {
    const names = new Set();
    let applies = true;
    for (const line of read('docs/configuration.md').split('\n')) {
        const heading = /^## (.*)/.exec(line);
        if (heading) applies = !/^(Gateway|Worker)/.test(heading[1]) || heading[1].toLowerCase().startsWith(program);
        const cell = /^\|([^|]*)\|/.exec(line);
        if (applies && cell) for (const m of cell[1].matchAll(/`([A-Z][A-Z0-9_]+)`/g)) names.add(m[1]);
    }
    return names;
}

/** Default of a variable as docs/configuration.md gives it. */
export function defaultOf(program, name) {
    const section = read('docs/configuration.md').split(/^## /m).find((s) => s.toLowerCase().startsWith(program));
    return new RegExp(`^\\| \`${name}\` \\| \`([^\`]*)\``, 'm').exec(section)?.[1];
}

/** Seconds of 10s, 250ms, 5m, 1h. */
export function seconds(duration) {
    const [, n, unit] = /^(\d+)(ms|s|m|h)$/.exec(duration) ?? [];
    if (!n) throw new Error(`${duration} is no duration`);
    return Number(n) * { ms: 0.001, s: 1, m: 60, h: 3600 }[unit];
}
