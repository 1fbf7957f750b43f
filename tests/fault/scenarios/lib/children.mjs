// Processes of a scenario: none outlives it, also when it crashes (the kernel kills them with their parent).
import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

export const root = process.env.TIKTREND_SOURCE_DIR ?? process.cwd();
export const programs = process.env.TIKTREND_BIN_DIR ?? path.join(root, 'build/dev/bin');
export const is_long = process.env.TIKTREND_LONG_TESTS === '1';

/// To preload into a program whose clock shall be wrong; nothing where Debian's faketime is not installed.
export const faketime = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu'].map((d) => `${d}/faketime/libfaketimeMT.so.1`).find((f) => fs.existsSync(f));

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/// Waits until `done` gives something true, and gives that; says `what` did not happen otherwise.
export async function until(what, done, limit_ms = 30_000) {
    const end = Date.now() + limit_ms;
    for (let last; ; ) {
        try {
            const value = await done();
            if (value) return value;
        } catch (e) {
            last = e;
        }
        if (Date.now() > end) throw new Error(`did not happen in ${limit_ms} ms: ${what}${last ? ` (${last.message})` : ''}`);
        await sleep(20);
    }
}

export function temp_dir() {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'tiktrend-fault-'));
    fs.chmodSync(dir, 0o777);
    return dir;
}

export async function free_port() {
    const server = net.createServer();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    await new Promise((resolve) => server.close(resolve));
    return port;
}

/// The words that run what follows in a network namespace; none for this one.
export const inside = (netns) => (netns ? ['ip', 'netns', 'exec', netns] : []);

export class Child {
    constructor(name, argv, { env = {}, cwd, log, user, netns } = {}) {
        const out = fs.openSync(log, 'a');
        const as = user && process.getuid() === 0 ? ['--reuid', user, '--regid', user, '--init-groups'] : [];
        this.name = name;
        this.log_file = log;
        this.started_at = Date.now();
        const [program, ...words] = [...inside(netns), 'setpriv', ...as, '--pdeathsig', 'KILL', ...argv];
        this.process = spawn(program, words, { env: { ...process.env, ...env }, cwd, stdio: ['ignore', out, out] });
        fs.closeSync(out);
        this.exited = new Promise((resolve) => this.process.on('exit', (code, signal) => {
            this.status = code ?? 128 + os.constants.signals[signal];
            this.ended_at = Date.now();
            resolve(this.status);
        }));
        this.exited.catch(() => {});
    }
    get pid() { return this.process.pid; }
    get is_running() { return this.status === undefined; }
    signal(name) { this.process.kill(name); }
    /// The exit status; throws past the limit.
    async ended(limit_ms) {
        const late = Symbol('late');
        let timer;
        const limit = new Promise((resolve) => { timer = setTimeout(resolve, limit_ms, late); });
        const status = await Promise.race([this.exited, limit]);
        clearTimeout(timer); // it would keep the test program alive
        if (status === late) throw new Error(`${this.name} still runs after ${limit_ms} ms:\n${this.log().slice(-2000)}`);
        return status;
    }
    async kill() {
        if (this.is_running) this.process.kill('SIGKILL');
        await this.exited;
    }
    log() { return fs.readFileSync(this.log_file, 'utf8'); }
    /// Its log lines as objects; other output is left out.
    lines() {
        return this.log().split('\n').flatMap((line) => {
            try { return line.startsWith('{') ? [JSON.parse(line)] : []; } catch { return []; }
        });
    }
    fds() { return fs.readdirSync(`/proc/${this.pid}/fd`).length; }
}

export function run(argv, options = {}) {
    return execFileSync(argv[0], argv.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options });
}
