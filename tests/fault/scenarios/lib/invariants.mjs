// The global invariants I1 to I6, I9 at rest and I10 of the gateway, from the event log, the keys and the ledger in PostgreSQL (I7 and
// I8, and the rest of I9 and I10, are checked by the scenarios that endanger them). Each violation is a sentence.
import assert from 'node:assert/strict';
import { is_long, sleep, until } from './children.mjs';
import { base, resources, shop_products } from './site.mjs';

/// I3, at one moment: each id is in one place and has a hash, no hash is without a place. Kept in one script so that nothing moves meanwhile.
const places_script = `
    local base, out, seen = KEYS[1], {}, {}
    local function take(place, ids)
        for _, id in ipairs(ids) do
            if seen[id] then out[#out + 1] = id .. ' is in ' .. seen[id] .. ' and in ' .. place end
            seen[id] = place
            if redis.call('EXISTS', base .. id) == 0 then out[#out + 1] = id .. ' is in ' .. place .. ' without a hash' end
        end
    end
    for _, name in ipairs({'wait', 'paused', 'active'}) do take(name, redis.call('LRANGE', base .. name, 0, -1)) end
    for _, name in ipairs({'prioritized', 'delayed', 'waiting-children', 'completed', 'failed'}) do
        take(name, redis.call('ZRANGE', base .. name, 0, -1))
    end
    for _, key in ipairs(redis.call('KEYS', base .. '*')) do
        local id = string.sub(key, #base + 1)
        if redis.call('TYPE', key).ok == 'hash' and redis.call('HEXISTS', key, 'timestamp') == 1 and not seen[id] then
            out[#out + 1] = id .. ' has a hash and no place'
        end
        if string.sub(key, -5) == ':lock' and redis.call('PTTL', key) == -1 then
            out[#out + 1] = key .. ' never expires'
        end
    end
    return out`;

export async function misplaced(redis) {
    const out = await redis.eval(places_script, 1, base);
    return out.filter((line) => !/^(0:|marker)/.test(line));
}

/// Where a job may go from where it is, as the events tell it. What is not here must not happen (I4: whoever lost a job moves it no more).
const steps = {
    added: { from: ['new'], to: () => 'added' },
    waiting: { from: ['added', 'delayed', 'active'], to: () => 'waiting' },
    delayed: { from: ['added', 'active', 'delayed'], to: () => 'delayed' },
    stalled: { from: ['waiting', 'active'], to: () => 'waiting' },
    active: { from: ['waiting'], to: () => 'active' },
    completed: { from: ['active'], to: () => 'done' },
    failed: { from: ['active'], to: () => 'done' },
};

/// Violations of I1, I4 and I6 in what was seen of one job. `forgets`: a Redis came back with less than it had, so steps may repeat.
function story_of(id, events, forgets) {
    const out = [];
    let where = 'new';
    const counts = {};
    for (const e of events) {
        const step = steps[e.event];
        if (!step) continue;
        if (!forgets && !step.from.includes(where)) out.push(`${id}: ${e.event} while ${where} (I4)`);
        where = step.to();
        counts[e.event] = (counts[e.event] ?? 0) + 1;
    }
    return { out, counts, where };
}

const keep_completed = 1000; // JOB_KEEP_COMPLETED's default

/// After until_quiet(). `lost`: ids that may be gone (said by the scenario, with its reason); `may_fail`: ids that may have failed.
export async function check_invariants(site, { lost = new Set(), may_fail = new Set(), forgets = false, products = shop_products,
    check_effects = true, redis = site.queue.client } = {}) {
    await sleep(120); // the log follows every 25 ms
    const bad = await misplaced(redis);
    const kept = await redis.zcard(base + 'completed');
    const total = { accepted: site.log.ids.size, completed: 0, failed: 0, starts: 0, stalled: 0, delayed: 0, lost: 0 };
    const ended_well = [];
    for (const id of site.log.ids) {
        const [completed, failed, job] = await Promise.all([redis.zscore(base + 'completed', id), redis.zscore(base + 'failed', id), redis.hgetall(base + id)]);
        const seen = story_of(id, site.log.of(id), forgets);
        bad.push(...seen.out);
        total.starts += seen.counts.active ?? 0;
        total.stalled += seen.counts.stalled ?? 0;
        total.delayed += seen.counts.delayed ?? 0;
        if (completed === null && failed === null) {
            const is_removed = seen.counts.completed === 1 && !seen.counts.failed && Object.keys(job).length === 0;
            if (is_removed && kept >= keep_completed) { // as it should be
                total.completed++;
                ended_well.push(id);
            } else if (lost.has(id)) total.lost++;
            else bad.push(`${id} was accepted and has not ended; last seen ${seen.where} (I1)`);
            continue;
        }
        completed === null ? total.failed++ : total.completed++;
        if (completed !== null) ended_well.push(id);
        const ends = (seen.counts.completed ?? 0) + (seen.counts.failed ?? 0);
        if (!forgets && ends !== 1) bad.push(`${id} ended ${ends} times (I1)`);
        if (failed !== null && !may_fail.has(id)) bad.push(`${id} failed: ${job.failedReason} (I1)`);
        const attempts = JSON.parse(job.opts ?? '{}').attempts ?? 1;
        if (Number(job.atm ?? 0) > attempts) bad.push(`${id} made ${job.atm} of ${attempts} attempts (I6)`);
        if (completed !== null && !may_fail.has(id) && Number(job.atm) !== 1) bad.push(`${id} completed in attempt ${job.atm}, though nothing failed (I6)`);
        if (await redis.exists(`${base}${id}:lock`)) bad.push(`${id} has ended and is locked (I2)`);
    }
    if (check_effects) bad.push(...effects(site, ended_well, products, forgets));
    // A lock that has run out is found by the next stalled check: within an interval, as another worker makes it if the one that made
    // the last has died. The list of invariants allows a lock's duration more, and 2 s for a busy machine and for connecting again.
    const { id, ms } = site.log.longest_unlocked;
    if (ms > site.recovery_ms + 2000) bad.push(`${id} was active without a lock for ${ms} ms (I2)`);
    total['longest unlocked ms'] = ms;
    bad.push(...(await back_to_normal(site)));
    assert.deepEqual(bad, []);
    return total;
}

/// I10, and, where there is time for it, I9: an idle queue's depth is said to be 0, and not left out.
async function back_to_normal(site) {
    const out = [];
    const { gateway, baseline } = site;
    if (!gateway?.is_running || baseline?.child !== gateway) return out;
    const most = Math.ceil(baseline.fds * 1.05) + 6; // a client of the tests keeps some connections alive
    await until('', () => resources(gateway).fds <= most, 10_000).catch(() => out.push(`the gateway holds ${resources(gateway).fds} descriptors, ${baseline.fds} before (I10)`));
    const grown_mib = (resources(gateway).rss_kib - baseline.rss_kib * 1.05) / 1024;
    if (grown_mib > 16) out.push(`the gateway holds ${grown_mib} MiB more than before and 5 % (I10)`);
    if (is_long) {
        const depth = () => site.metric(gateway, 'bullmq_queue_depth{queue="scraping"}');
        await until('', async () => (await depth()) === 0, 10_000).catch(async () => out.push(`the depth of an idle queue is ${await depth()} (I9)`));
    }
    return out;
}

/// I5 in the ledger and in the tables. A job that nobody was told of (its 202 was lost on the way) may have run too, but once.
function effects(site, completed, products, forgets) {
    const successes = new Map(site.database.sql("SELECT job_id, count(*) FROM scrape_runs WHERE status = 'succeeded' GROUP BY job_id")
        .split('\n').filter(Boolean).map((line) => [line.split('|')[0], Number(line.split('|')[1])]));
    const [repeated, rows] = site.database.sql(
        `SELECT (SELECT count(*) FROM (SELECT 1 FROM product_history GROUP BY product_id, scraped_at HAVING count(*) > 1) d),
                (SELECT count(*) FROM products)`).split('|').map(Number);
    const out = [];
    if (!forgets) for (const id of completed) if (!successes.has(id)) out.push(`${id} completed and no run of it succeeded (I5)`);
    for (const [id, n] of successes) if (n > 1) out.push(`${id} succeeded ${n} times (I5)`);
    if (repeated) out.push(`${repeated} products have one moment twice in their history (I5)`);
    if (completed.length > 0 && rows !== products) out.push(`${rows} products instead of ${products} (I5)`);
    return out;
}

export function report(scenario, counts) {
    console.log(`  scenario ${scenario}: ${Object.entries(counts).map(([k, v]) => `${k} ${v}`).join(', ')}`);
}
