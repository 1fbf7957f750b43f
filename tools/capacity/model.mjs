// From costs per request, page and job to machines and money. Pure: inputs in, numbers out.

/** The value of every input by name, whatever its group. */
export function values(inputs) {
    const out = {};
    for (const group of ['users', 'costs', 'limits', 'prices']) {
        for (const [name, { value }] of Object.entries(inputs[group])) {
            if (typeof value !== 'number' || !(value >= 0)) throw new Error(`${group}.${name}: ${value} is no number of 0 or more`);
            out[name] = value;
        }
    }
    return out;
}

const cores = (perSecond, microseconds) => (perSecond * microseconds) / 1e6;

/** What `users` ask of each part in the busiest minutes, and what holds it. */
export function size(users, inputs) {
    const v = values(inputs);
    const second = (perDay) => (users * perDay * v.peak_factor) / 86400;
    const requests = second(v.requests_per_user_day);
    const jobs = second(v.scrapes_per_user_day);
    const pages = jobs * v.pages_per_job;

    const gatewayCores = cores(requests * v.cached_share, v.cached_get_us) + cores(requests * (1 - v.cached_share), v.uncached_get_us) + cores(jobs, v.post_us);
    const gateways = Math.max(v.gateways_min, Math.ceil(gatewayCores / (v.gateway_threads * v.utilization)));
    const slots = jobs * v.pages_per_job * v.page_seconds;
    // The mean of a day, not its peak, is what is paid for: the fleet grows and shrinks.
    const workersPeak = Math.max(v.workers_min, Math.ceil(slots / v.worker_slots));
    const workersMean = Math.max(v.workers_min, slots / v.worker_slots / v.peak_factor);
    const redisCores = cores(jobs, v.redis_add_us + v.redis_process_us) + cores(pages, v.redis_page_us);
    const dbWriteCores = (pages * v.db_page_ms) / 1000;
    const dbReadCores = (requests * (1 - v.cached_share) * v.db_read_ms) / 1000;

    const productsDay = users * v.scrapes_per_user_day * v.pages_per_job * v.products_per_page;
    const historyGbMonth = (productsDay * v.changed_share * 30 * v.history_kb) / 1e6;
    const productsGb = (productsDay * v.new_share * 365 * v.product_kb) / 1e6;
    const storageGb = productsGb + historyGbMonth * v.history_months;
    const primaryCores = Math.max(2, Math.ceil(dbWriteCores / v.utilization));
    // Reads go to replicas, and a second one so that either may be lost; small services read from the primary.
    const replicaCores = Math.ceil(dbReadCores / v.utilization);
    const replicas = users < 500 ? 0 : replicaCores < 2 ? 1 : Math.max(2, Math.ceil(replicaCores / 8));
    const shards = Math.max(1, Math.ceil(redisCores / v.utilization));
    const regions = Math.max(1, Math.ceil(users / v.users_per_region));
    return {
        users, requests, jobs, pages, gatewayCores, gateways, slots, workersPeak, workersMean, redisCores, shards, dbWriteCores, dbReadCores,
        primaryCores, primaries: Math.max(1, Math.ceil(primaryCores / v.db_cores_max)), replicas, replicaCores: Math.max(replicas * 2, replicaCores),
        storageGb, historyGbMonth, partitionsPerMonth: Math.max(1, Math.ceil(historyGbMonth / v.partition_gb)), regions,
        // An hour's backlog at the peak, and twice that for safety.
        queueGb: Math.max(1, Math.ceil((jobs * 3600 * 2 * v.job_kb) / 1e6)),
        cacheGb: Math.max(1, Math.ceil(productsGb * v.hot_share)),
        trafficGbMonth: (users * v.requests_per_user_day * 30 * v.response_kb) / 1e6,
    };
}

/** USD a month, by part. */
export function price(s, inputs) {
    const v = values(inputs);
    if (s.users <= v.one_server_users) {
        const parts = { gateways: v.server, workers: 0, postgresql: s.storageGb * v.db_gb, redis: 0, traffic: s.trafficGbMonth * v.traffic_gb, monitoring: 0, regions: 0 };
        return { ...parts, total: Object.values(parts).reduce((a, b) => a + b, 0) };
    }
    const gatewayNodes = Math.ceil(s.gateways / 2) + (s.gateways <= 2 ? 1 : 0); // two machines at least, so that one may be lost
    const steadyNodes = Math.ceil(v.workers_min / v.workers_per_node);
    const spotNodes = Math.ceil(Math.max(0, s.workersMean - v.workers_min) / v.workers_per_node);
    const parts = {
        gateways: gatewayNodes * v.node,
        workers: steadyNodes * v.node + spotNodes * v.spot_node,
        postgresql: (s.primaryCores + s.replicaCores) * v.db_core + s.storageGb * (1 + s.replicas) * v.db_gb,
        redis: (s.queueGb * s.shards + s.cacheGb * s.regions) * v.redis_gb,
        traffic: s.trafficGbMonth * v.traffic_gb + s.regions * v.balancer,
        monitoring: v.cluster * s.regions + v.monitoring * Math.max(1, Math.ceil((s.gateways + s.workersMean) / 20)),
    };
    // A further region: its gateways and a replica of everything.
    const further = (s.regions - 1) * (v.gateways_min * v.node + 4 * v.db_core + s.storageGb * v.db_gb);
    return { ...parts, regions: further, total: Object.values(parts).reduce((a, b) => a + b, 0) + further };
}

/** The smallest number of users for which `isTooMuch`, by bisection up to a hundred million. */
function firstUsers(isTooMuch) {
    let [low, high] = [1, 1e8];
    if (!isTooMuch(high)) return Infinity;
    while (high - low > Math.max(1, low * 0.001)) {
        const middle = Math.floor((low + high) / 2);
        if (isTooMuch(middle)) high = middle;
        else low = middle;
    }
    return high;
}

/** What breaks, in the order in which it does, with what mends it. */
export function breaks(inputs) {
    const v = values(inputs);
    const at = (test) => firstUsers((n) => test(size(n, inputs)));
    return [
        ['workers: maxReplicas of the HPA', at((s) => s.workersPeak > v.workers_max), 'raise `maxReplicas`; count database connections first'],
        ['gateways: maxReplicas of the HPA', at((s) => s.gateways > v.gateways_max), 'raise `maxReplicas`'],
        ['PostgreSQL: reads do not fit beside writes on 2 cores', at((s) => s.dbWriteCores + s.dbReadCores > 2 * v.utilization), 'replicas in `DATABASE_REPLICA_URLS`'],
        ['PostgreSQL: a month of history is too large for one partition', at((s) => s.partitionsPerMonth > 1), 'weekly partitions'],
        ['PostgreSQL: writes need more than the largest primary', at((s) => s.primaryCores > v.db_cores_max), 'several primaries: products by source'],
        ['Redis: one core cannot serve the queue', at((s) => s.shards > 1), 'several queues, each on a shard of its own, by source'],
        ['distance: one region for everybody', at((s) => s.regions > 1), 'overlay `region-replica`'],
    ].sort((a, b) => a[1] - b[1]);
}
