// The history of a queue, kept outside of what is tested: everything its event stream says goes into a file at once, with
// what the clients were told. A Redis that loses its memory does not take the history with it.
import fs from 'node:fs';
import { sleep } from './children.mjs';
import { connect } from './servers.mjs';

/// Active jobs without a lock, and all ids that are active.
const unlocked_script = `
    local out = {}
    for _, id in ipairs(redis.call('LRANGE', KEYS[1] .. 'active', 0, -1)) do
        if redis.call('EXISTS', KEYS[1] .. id .. ':lock') == 0 then out[#out + 1] = id end
    end
    return out`;

export class EventLog {
    /// `port_of` says which Redis to follow; asked again whenever the connection is lost.
    constructor(file, port_of, stream = 'bull:scraping:events') {
        Object.assign(this, { file, port_of, stream });
        this.restart_state();
    }
    restart_state() {
        fs.writeFileSync(this.file, '');
        this.entries = [];
        this.ids = new Set();
        this.last = '0-0';
        this.is_over = false;
        this.following = undefined;
        this.unlocked_for = new Map();
        this.looked_at = undefined;
        this.longest_unlocked = { ms: 0 };
    }
    start() { this.following ??= this.follow(); return this; }
    async restart() {
        await this.stop();
        this.restart_state();
        this.start();
    }
    async stop() {
        this.is_over = true;
        await this.following;
    }
    note(entry) {
        this.entries.push(entry);
        fs.appendFileSync(this.file, JSON.stringify(entry) + '\n');
    }
    /// A client was told that this job is accepted (2xx).
    accepted(id) {
        this.ids.add(id);
        this.note({ at: Date.now(), event: 'accepted', jobId: id });
    }
    async follow() {
        let redis;
        let port = 0;
        while (!this.is_over) {
            try {
                const now = await this.port_of();
                if (now !== port) {
                    redis?.disconnect();
                    redis = connect(now);
                    port = now;
                }
                await this.catch_up(redis);
                await this.watch_locks(redis);
            } catch { // the server is away: again
                this.unlocked_for.clear();
                this.looked_at = undefined;
            }
            await sleep(25);
        }
        redis?.disconnect();
    }
    async catch_up(redis) {
        // After a restart without its last moments a Redis may give out ids anew that this log has seen: by time they come later.
        for (;;) {
            const rows = await redis.xrange(this.stream, '(' + this.last, '+', 'COUNT', 1000);
            for (const [id, flat] of rows) {
                const entry = { at: Number(id.split('-')[0]) };
                for (let i = 0; i < flat.length; i += 2)
                    if (flat[i] !== 'data' && flat[i] !== 'returnvalue') entry[flat[i]] = flat[i + 1];
                this.note(entry);
                this.last = id;
            }
            if (rows.length < 1000) return;
        }
    }
    /// Whether any worker can reach the queue now; a scenario whose faults keep all of them from it at once says when.
    may_recover = () => true;
    /// I2: how long a job was active without a lock while workers could have looked for it.
    async watch_locks(redis) {
        const ids = await redis.eval(unlocked_script, 1, this.stream.replace(/events$/, ''));
        const now = Date.now();
        const passed = this.may_recover() ? now - (this.looked_at ?? now) : 0;
        this.looked_at = now;
        const before = this.unlocked_for;
        this.unlocked_for = new Map(ids.map((id) => [id, before.has(id) ? before.get(id) + passed : 0]));
        for (const [id, ms] of this.unlocked_for) if (ms > this.longest_unlocked.ms) this.longest_unlocked = { id, ms };
    }
    /// What happened to one job, in order.
    of(id) { return this.entries.filter((e) => e.jobId === id); }
    times(event, id) { return this.entries.filter((e) => e.event === event && (id === undefined || e.jobId === id)).map((e) => e.at); }
}
