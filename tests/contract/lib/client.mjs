// Requests with every byte as the test says it.
import http from 'node:http';

const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
const base = new URL(process.env.GATEWAY_URL ?? 'http://127.0.0.1:1');

export const keys = { admin: process.env.API_KEY, reader: process.env.READ_KEY };
export const shop = process.env.SHOP_URL;

/** A hang is an error: after `limit` ms the promise is rejected. */
export function send(method, path, { key = keys.admin, headers = {}, body, limit = 15_000 } = {}) {
    const all = { ...headers };
    if (key) all.authorization = `Bearer ${key}`;
    const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(body);
    if (bytes) {
        all['content-type'] ??= 'application/json';
        all['content-length'] = bytes.length;
    }
    return new Promise((resolve, reject) => {
        const request = http.request({ agent, host: base.hostname, port: base.port, method, path, headers: all }, (r) => {
            const chunks = [];
            r.on('data', (c) => chunks.push(c));
            r.on('error', reject);
            r.on('end', () => resolve({ path, status: r.statusCode, headers: r.headers, text: Buffer.concat(chunks).toString() }));
        });
        request.setTimeout(limit, () => request.destroy(new Error(`${method} ${path}: no answer in ${limit} ms`)));
        request.on('error', reject);
        request.end(bytes);
    });
}
