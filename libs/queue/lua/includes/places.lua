-- Where a job waits: the scores of `prioritized` and `delayed`.

-- Behind all jobs of the same priority. O(log n).
local function push_prioritized(base, id, priority)
    local order = call('INCR', base .. 'pc')
    call('ZADD', base .. 'prioritized', priority * 4294967296 + order % 4294967296, id)
end

-- Score for a job that is due at `at` (ms): jobs of one millisecond keep their order in the low 12 bits; the 4097th and later
-- share the last score. O(log n).
local function delayed_score(base, at)
    local first = at * 4096
    local last = first + 4095
    local newest = call('ZREVRANGEBYSCORE', base .. 'delayed', last, first, 'WITHSCORES', 'LIMIT', 0, 1)
    if not newest[2] then return first end
    return math.min(tonumber(newest[2]) + 1, last)
end

-- Puts `id` into `delayed` and says so. The caller wakes a worker for it (wake_at_next_delayed).
local function push_delayed(base, id, at, max_events)
    call('ZADD', base .. 'delayed', delayed_score(base, at), id)
    call('XADD', base .. 'events', 'MAXLEN', '~', max_events, '*', 'event', 'delayed', 'jobId', id, 'delay', at)
end
