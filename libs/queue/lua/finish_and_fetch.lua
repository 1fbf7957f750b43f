--[[
Ends the run of n active jobs, each in its own way, and takes up to m new ones in the same call.
Invariants: only the owner of a job's lock moves it; a job that is refused is left exactly as it was (it has left `active`
before anything of it is written) and does not stop the others; after the call the id is in one place.

KEYS[1]   text  key base `<prefix>:<queue>:`
ARGV[1]   int   now, ms
ARGV[2]   text  token: the lock of the jobs that this call takes; unique per call
ARGV[3]   int   lock duration, ms
ARGV[4]   int   m, jobs wanted (0: do not fetch)
ARGV[5]   text  worker name; may be empty
ARGV[6]   int   the worker's own rate limit, jobs per window (0: none)
ARGV[7]   int   its window, ms (0: none)
ARGV[8]   text  data points of the metrics to keep (0: no metrics); then, if the worker limits groups, after a blank each:
          active jobs of a group (0: any number), its starts per window (0: any number), the window in ms
ARGV[9…]  10 words per job that ends:
          kind   completed, failed, delayed (tried again later), wait (tried again now), release (given back, not tried)
          id, token ("0": no lock)
          value  completed: JSON; failed, delayed, wait: reason, stored with the stack if that is not empty
          stack  JSON array of texts
          keep_count, keep_age (s), keep_limit: completed and failed; empty: no such rule; count 0 removes at once
          number failed: attempts allowed; delayed: ms from now
          flag   wait: "R" lifo, "L" not; delayed: "1" spends no attempt; release: "P" take nothing while the queue is limited;
                 after that first byte, where an attempt has failed, the trace context of the failure, stored as `tm`
Returns   [ [position, code, …] of the refused, jobs (fields and values of the hash before this run, then the id),
            ms to wait because of a rate limit, time of the next delayed job or end of a group's limit, or 0 ]
          codes: -1 no hash, -2 no lock, -3 not active, -4 pending children, -6 lock of another, -9 failed children
Events    completed; failed [, retries-exhausted]; delayed; waiting (prev=active) per job; those of the parent and of a job set
          aside by deduplication before; then those of fetch_jobs; drained when nothing is left
Cost      O(log n + length of `active`) per job
BullMQ    6.7: moveToFinished-14, moveToDelayed-11, retryJob-11, moveJobFromActiveToWait-9, moveToActive-11
--]]
local base = KEYS[1]
local now_text, token, lock_ms, wanted = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local worker, limit_max, limit_duration = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local metrics_points, group_limits = tonumber(ARGV[8]), {}
if not metrics_points then
    local points, slots, starts, window = string.match(ARGV[8], '^(%d+) (%d+) (%d+) (%d+)$')
    metrics_points = tonumber(points)
    group_limits.concurrency = slots ~= '0' and tonumber(slots) or nil
    group_limits.max = starts ~= '0' and tonumber(starts) or nil
    group_limits.duration = window ~= '0' and tonumber(window) or nil
end
local words = ARGV
local call = redis.call
--@include "fetch"
--@include "deduplication"
--@include "keep"
--@include "metrics"

local FIXED_WORDS, WORDS_PER_JOB = 8, 10
-- A number given to a command is printed as a floating point number, which is slow: what is stored unchanged stays text.
local now = tonumber(now_text)
local SMALL = { '1', '2', '3', '4', '5', '6', '7', '8' }
local count = (#words - FIXED_WORDS) / WORDS_PER_JOB
local settings = read_settings(base)
local events = base .. 'events'
local refused, left_active, locks_to_drop = {}, {}, {}
local finished = { completed = 0, failed = 0 }
local last_finished = false  -- the last job that ended did so for good
local put_back, delayed, is_limited = false, false, false
local grouped = false        -- the queue has groups (includes/groups.lua)

local locks = {}
local with_children = 0
if count > 0 then
    local lock_keys, child_keys = {}, {}
    for i = 1, count do
        local at = FIXED_WORDS + (i - 1) * WORDS_PER_JOB
        local key = base .. words[at + 2]
        lock_keys[i] = key .. ':lock'
        if words[at + 1] == 'completed' then
            child_keys[#child_keys + 1] = key .. ':dependencies'
            child_keys[#child_keys + 1] = key .. ':unsuccessful'
        end
    end
    lock_keys[count + 1] = base .. 'groups:turn' -- exists if the queue has groups; a call of its own would cost more
    locks = call('MGET', unpack(lock_keys))
    grouped = locks[count + 1] ~= false
    if #child_keys > 0 then with_children = call('EXISTS', unpack(child_keys)) end
end

-- Finished jobs enter their set together as long as their keep policy is the same: trimming once then leaves what trimming
-- after each would.
local group = { target = nil, rule = nil, entries = {} }
local function flush_group()
    if #group.entries == 0 then return end
    call('ZADD', base .. group.target, unpack(group.entries))
    apply_keep(base, group.target, group.count, group.age, group.limit, now)
    group.entries = {}
end

local function keep_finished(target, id, keep_count, keep_age, keep_limit)
    local rule = target .. ' ' .. keep_count .. ' ' .. keep_age .. ' ' .. keep_limit
    if rule ~= group.rule then
        flush_group()
        group.target, group.rule = target, rule
        group.count, group.age, group.limit = tonumber(keep_count), tonumber(keep_age), tonumber(keep_limit) or 1000
    end
    group.entries[#group.entries + 1] = now_text
    group.entries[#group.entries + 1] = id
end

-- nil, or the code for which the job cannot leave. Writes nothing unless the job leaves `active`.
local function leave_active(i, kind, id, key, owner, name)
    if not name and call('EXISTS', key) == 0 then return -1 end
    if kind == 'completed' and with_children > 0 then
        if call('SCARD', key .. ':dependencies') > 0 then return -4 end
        if call('ZCARD', key .. ':unsuccessful') > 0 then return -9 end
    end
    if owner ~= '0' and locks[i] ~= owner then return locks[i] and -6 or -2 end
    if call('LREM', base .. 'active', -1, id) == 0 then return -3 end
    if owner ~= '0' then
        left_active[#left_active + 1] = id
        locks_to_drop[#locks_to_drop + 1] = key .. ':lock'
    end
    if grouped then groups().leave(base, id) end
    return nil
end

local is_trimmed = false
local function trim_events()
    if is_trimmed then return end
    is_trimmed = true
    call('XTRIM', events, 'MAXLEN', '~', events_length(base, settings))
end

local is_promoted = false
local function promote_before_retry()
    if is_promoted then return end
    is_promoted = true
    promote_due(base, settings, now)
end

for i = 1, count do
    local at = FIXED_WORDS + (i - 1) * WORDS_PER_JOB
    local kind, id, owner, value, stack, keep_count, keep_age, keep_limit, argument, flag =
        unpack(words, at + 1, at + WORDS_PER_JOB)
    local key = base .. id
    local telemetry = string.sub(flag, 2)
    flag = string.sub(flag, 1, 1)
    if kind == 'wait' then promote_before_retry() end
    local job
    if kind == 'completed' then -- a missing field costs a walk through the hash: only what is needed
        job = call('HMGET', key, 'name', 'atm', 'parentKey', 'deid')
    elseif kind == 'failed' then
        job = call('HMGET', key, 'name', 'atm', 'parentKey', 'deid', 'parent', 'defa')
    else
        job = call('HMGET', key, 'name', 'atm', 'priority')
    end
    local code = leave_active(i, kind, id, key, owner, job[1])
    if code then
        refused[#refused + 1] = i
        refused[#refused + 1] = code
    elseif kind == 'completed' or kind == 'failed' then
        local is_failed = kind == 'failed'
        local made = (tonumber(job[2]) or 0) + 1
        local made_text = SMALL[made] or made
        local parent_key, deduplication_id, parent = job[3], job[4], job[5]
        trim_events()
        if deduplication_id then
            free_deduplication_id(base, deduplication_id, id)
            requeue_set_aside(base, settings, deduplication_id, now)
        end
        if parent_key then
            if not is_failed then
                deliver_to_parent(key, parent_key, value, now)
            elseif parent then
                fail_to_parent(key, parent, value, now)
            end
        end
        if keep_count == '0' then
            local keys = {}
            append_job_keys(keys, key)
            delete_keys(keys)
            if parent_key then unlink_child(key, parent_key, now) end
        elseif is_failed then
            call('HSET', key, 'atm', made_text, 'failedReason', value, 'stacktrace', stack, 'finishedOn', now_text)
            if telemetry ~= '' then call('HSET', key, 'tm', telemetry) end
            if job[6] then call('HDEL', key, 'defa') end
            keep_finished(kind, id, keep_count, keep_age, keep_limit)
        else
            call('HSET', key, 'atm', made_text, 'returnvalue', value, 'finishedOn', now_text)
            keep_finished(kind, id, keep_count, keep_age, keep_limit)
        end
        if is_failed then
            call('XADD', events, '*', 'event', 'failed', 'jobId', id, 'failedReason', value, 'prev', 'active')
            if made >= tonumber(argument) then
                call('XADD', events, '*', 'event', 'retries-exhausted', 'jobId', id, 'attemptsMade', made_text)
            end
        else
            call('XADD', events, '*', 'event', 'completed', 'jobId', id, 'returnvalue', value, 'prev', 'active')
        end
        finished[kind] = finished[kind] + 1
        last_finished = true
    else
        local changes = {}
        if stack ~= '' then
            changes = { 'failedReason', value, 'stacktrace', stack }
            if telemetry ~= '' then changes[5], changes[6] = 'tm', telemetry end
        end
        if kind == 'wait' or (kind == 'delayed' and flag ~= '1') then
            changes[#changes + 1] = 'atm'
            changes[#changes + 1] = (tonumber(job[2]) or 0) + 1
        end
        if kind == 'delayed' then
            changes[#changes + 1] = 'delay'
            changes[#changes + 1] = argument
        end
        if #changes > 0 then call('HSET', key, unpack(changes)) end

        local max_events = events_length(base, settings)
        local priority = tonumber(job[3]) or 0
        if kind == 'delayed' then
            push_delayed(base, id, now + math.max(tonumber(argument), 0), max_events)
            delayed = true
        else
            local member = grouped and call('HMGET', key, 'gid', 'gpr')
            if member and member[1] then
                groups().push(base, member[1], id, member[2], kind == 'release' or flag == 'R')
            elseif priority == 0 then
                call((kind == 'release' or flag == 'R') and 'RPUSH' or 'LPUSH', base .. 'wait', id)
            elseif kind == 'release' then
                call('ZADD', base .. 'prioritized', priority * 4294967296, id)
            else
                push_prioritized(base, id, priority)
            end
            call('XADD', events, 'MAXLEN', '~', max_events, '*', 'event', 'waiting', 'jobId', id, 'prev', 'active')
            put_back = true
            is_limited = is_limited or (kind == 'release' and flag == 'P')
        end
        last_finished = false
    end
end

flush_group()
-- Before anything is fetched: a job that went back to waiting may be taken again by this very call.
if #locks_to_drop > 0 then
    call('DEL', unpack(locks_to_drop))
    call('SREM', base .. 'stalled', unpack(left_active))
end
if metrics_points > 0 then
    for target, ended in pairs(finished) do
        if ended > 0 then count_finished(base, target, ended, metrics_points, now) end
    end
end
if put_back then
    wake(base, settings)
    if grouped then groups().wake(base, settings) end
end

local jobs, limited_ms, next_delayed = {}, 0, 0
if is_limited then limited_ms = math.max(call('PTTL', base .. 'limiter'), 0) end
if wanted > 0 and limited_ms == 0 then
    jobs, limited_ms, next_delayed = fetch_jobs(base, settings, {
        wanted = wanted, now = now, now_text = now_text, token = token, lock_ms = lock_ms, worker = worker,
        limit_max = limit_max > 0 and limit_max or nil, limit_duration = limit_duration > 0 and limit_duration or nil,
        group_limits = group_limits,
    })
end
if #jobs == 0 then
    if delayed then wake_at_next_delayed(base) end
    local is_quiet = limited_ms == 0 and next_delayed == 0 and (wanted == 0 or not is_closed(base, settings))
    local is_empty = call('LLEN', base .. 'wait') == 0 and call('ZCARD', base .. 'prioritized') == 0
        and (not grouped or (tonumber(call('GET', base .. 'groups:waiting')) or 0) == 0)
    if last_finished and is_quiet and is_empty and call('LLEN', base .. 'active') == 0 then
        call('XADD', events, '*', 'event', 'drained')
    end
    -- A slot of the global concurrency became free and nobody here takes it.
    if count > 0 and settings.concurrency and not is_empty then
        wake(base, settings)
        if grouped then groups().wake(base, settings) end
    end
end
return { refused, jobs, limited_ms, next_delayed }
