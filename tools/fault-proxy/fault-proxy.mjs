#!/usr/bin/env node
// A TCP proxy that fails on demand, for tests and for trying things by hand:
//
//   tools/fault-proxy/fault-proxy.mjs --listen 16379 --to 127.0.0.1:6379 [--seed 7]
//
// and then one command a line on standard input: `pass`, `latency 200`, `loss 0.05`, `black_hole`, `half_open`,
// `cut`, `refuse`, `cut_reply`, `state`, `quit`. As a module: `new FaultProxy(…)`, whose methods have these names.
//
//   latency MS    each chunk arrives so much later (in order), both ways together: half each way
//   loss P        with this probability a chunk arrives a retransmission (200 ms, doubling) later, and all behind it
//   black_hole    connections stay open and accept bytes that never arrive; new ones are accepted and say nothing
//   half_open     as black_hole, but only what the server sends is swallowed: it gets the requests
//   cut           every connection ends now by RST; new ones are let through
//   refuse        as cut, and new ones are reset too
//   cut_reply     the next request that contains `pattern` is passed on, and its connection reset when the answer comes
//   pass          from now on everything is let through; what a hole swallowed is gone, so its connections are reset
import net from 'node:net';
import readline from 'node:readline';
import { pathToFileURL } from 'node:url';

const first_retransmission_ms = 200;

/// Numbers in [0, 1) from a seed (mulberry32), so that a run can be repeated.
export function random_of(seed) {
    let a = seed >>> 0;
    return () => {
        a = (a + 0x6d2b79f5) >>> 0;
        let t = Math.imul(a ^ (a >>> 15), 1 | a);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}

/// One direction of one connection: chunks arrive in order, each not before its time. A queue with one timer sees to the order:
/// timers of their own would not, since those that are due together fire in any order, and data that is read in the turn of
/// the event loop in which an older chunk is due comes before its timer.
class Lane {
    constructor(proxy, from, to) {
        this.proxy = proxy;
        this.to = to;
        this.from = from;
        this.queue = []; // {chunk, due}; a chunk of null is the end
        this.timer = null;
    }
    send(chunk) {
        const due = Math.max(this.queue.at(-1)?.due ?? 0, Date.now() + this.proxy.delay());
        this.queue.push({ chunk, due });
        if (this.timer === null) this.deliver();
    }
    /// The end arrives after what was sent before it.
    end() { this.send(null); }
    deliver() {
        this.timer = null;
        while (this.queue.length > 0) {
            const wait = this.queue[0].due - Date.now();
            if (wait > 0) {
                this.timer = setTimeout(() => this.deliver(), wait);
                return;
            }
            this.write(this.queue.shift().chunk);
        }
    }
    write(chunk) {
        if (this.to.destroyed || this.to.writableEnded) return;
        if (chunk === null) {
            this.to.end();
        } else if (!this.to.write(chunk)) {
            this.from.pause();
            this.to.once('drain', () => this.from.resume());
        }
    }
}

export class FaultProxy {
    constructor({ to, listen = 0, host = '127.0.0.1', seed = 1 }) {
        this.target = to; // {host, port}
        this.host = host;
        this.listen = listen;
        this.random = random_of(seed);
        this.pairs = new Set();
        this.counts = { accepted: 0, cut: 0, swallowed: 0 };
        this.clear();
    }
    clear() {
        this.mode = 'pass';
        this.latency_ms = 0;
        this.loss_rate = 0;
        this.pattern = null;
    }
    async start() {
        this.server = net.createServer((client) => this.accept(client));
        await new Promise((resolve, reject) => {
            this.server.once('error', reject);
            this.server.listen(this.listen, this.host, resolve);
        });
        this.port = this.server.address().port;
        return this;
    }
    async stop() {
        this.reset_all();
        await new Promise((resolve) => this.server.close(resolve));
    }

    latency(ms) { this.latency_ms = ms; }
    loss(rate) { this.loss_rate = rate; }
    black_hole() { this.mode = 'black_hole'; }
    half_open() { this.mode = 'half_open'; }
    cut() { this.mode = 'pass'; this.reset_all(); }
    refuse() { this.mode = 'refuse'; this.reset_all(); }
    /// Resolves once it has happened.
    cut_reply(pattern = '') {
        this.pattern = pattern;
        return new Promise((resolve) => { this.on_cut_reply = resolve; });
    }
    pass() {
        for (const pair of [...this.pairs]) if (pair.has_lost_bytes) this.reset(pair);
        this.clear();
    }

    delay() {
        let ms = this.latency_ms / 2;
        let retransmission = first_retransmission_ms;
        while (this.loss_rate > 0 && this.random() < this.loss_rate && retransmission < 5000) {
            ms += retransmission;
            retransmission *= 2;
        }
        return ms;
    }
    accept(client) {
        this.counts.accepted++;
        if (this.mode === 'refuse') {
            client.on('error', () => {});
            client.resetAndDestroy();
            return;
        }
        const server = net.connect(this.target);
        const pair = { client, server, has_lost_bytes: false, is_watched: false };
        this.pairs.add(pair);
        const up = new Lane(this, client, server);
        const down = new Lane(this, server, client);
        for (const socket of [client, server]) {
            socket.setNoDelay(true);
            socket.on('error', () => this.reset(pair));
        }
        client.on('data', (chunk) => {
            if (this.mode === 'black_hole') return this.swallow(pair);
            if (this.pattern !== null && chunk.includes(this.pattern)) {
                this.pattern = null;
                pair.is_watched = true;
            }
            up.send(chunk);
        });
        server.on('data', (chunk) => {
            if (pair.is_watched) {
                this.reset(pair);
                this.on_cut_reply?.();
                return;
            }
            if (this.mode === 'black_hole' || this.mode === 'half_open') return this.swallow(pair);
            down.send(chunk);
        });
        const ended = (lane) => () => {
            // A hole does not tell either side that the other has gone.
            if (this.mode === 'black_hole' || this.mode === 'half_open') return this.swallow(pair);
            lane.end();
        };
        client.on('end', ended(up));
        server.on('end', ended(down));
        // What is still on its way arrives first.
        client.on('close', () => { if (this.mode === 'pass') up.end(); });
        server.on('close', () => { if (this.mode === 'pass') { down.end(); this.pairs.delete(pair); } });
    }
    swallow(pair) {
        pair.has_lost_bytes = true;
        this.counts.swallowed++;
    }
    reset(pair) {
        if (!this.pairs.delete(pair)) return;
        this.counts.cut++;
        for (const socket of [pair.client, pair.server])
            if (!socket.destroyed) socket.resetAndDestroy();
    }
    reset_all() {
        for (const pair of [...this.pairs]) this.reset(pair);
    }
}

async function main(argv) {
    const option = (name, fallback) => {
        const at = argv.indexOf('--' + name);
        return at < 0 ? fallback : argv[at + 1];
    };
    const to = option('to', '');
    const colon = to.lastIndexOf(':');
    if (colon < 0) {
        console.error('usage: fault-proxy.mjs --listen PORT --to HOST:PORT [--seed N]');
        process.exit(2);
    }
    const proxy = await new FaultProxy({ to: { host: to.slice(0, colon), port: Number(to.slice(colon + 1)) },
        listen: Number(option('listen', 0)), seed: Number(option('seed', 1)) }).start();
    console.log(`listening on 127.0.0.1:${proxy.port}, seed ${option('seed', 1)}`);
    const words = new Set(['pass', 'latency', 'loss', 'black_hole', 'half_open', 'cut', 'refuse', 'cut_reply']);
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const [word, value] = line.trim().split(/\s+/);
        if (word === 'quit') break;
        if (words.has(word)) void proxy[word](word === 'cut_reply' ? (value ?? '') : Number(value));
        else if (word && word !== 'state') console.log(`unknown command ${word}`);
        console.log(JSON.stringify({ mode: proxy.mode, latency_ms: proxy.latency_ms, loss_rate: proxy.loss_rate,
            open: proxy.pairs.size, ...proxy.counts }));
    }
    await proxy.stop();
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await main(process.argv.slice(2));
