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
ARGV[9…]  for each job that ends 10 words:
          kind   completed, failed, delayed (tried again later), wait (tried again now), release (given back, not tried)
          id, token ("0": no lock)
          value  completed: JSON; failed, delayed, wait: reason, stored with the stack if that is not empty
          stack  JSON array of texts
          keep_count, keep_age (s), keep_limit: completed and failed; empty: no such rule; count 0 removes at once
          number failed: attempts allowed; delayed: ms from now
          flag   wait: "R" lifo, "L" not; delayed: "1" spends no attempt; release: "P" take nothing while the queue is limited;
                 after that first byte, where an attempt has failed, the trace context of the failure, stored as `tm`
          or 3 words, for one that ends as the one before did but for these:  "=", id, value
Returns   [ [position, code, …] of the refused, jobs (fields and values of the hash before this run, then the id),
            ms to wait because of a rate limit, time of the next delayed job or end of a group's limit, or 0;
            then, if there are any: [position, error, …] of jobs that ended but whose parent, deduplication id or predecessors could
            not be looked after (position 0: predecessors of several) ]; an error reply before anything is written: the lock's duration
          codes: -1 no hash, -2 no lock, -3 not active, -4 pending children, -6 lock of another, -9 failed children
Events    completed; failed [, retries-exhausted]; delayed; waiting (prev=active) per job; those of the parent and of a job set
          aside by deduplication before; then those of fetch_jobs; drained when nothing is left
Cost      O(log n + length of `active`) per job
BullMQ    6.7: moveToFinished-14, moveToDelayed-11, retryJob-11, moveJobFromActiveToWait-9, moveToActive-11
--]]
local base = KEYS[1]
local now_text, token, lock_ms, wanted = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local worker, limit_max, limit_duration = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
local words = ARGV
local call = redis.call
--@include "fetch"
--@include "group_limits"
local metrics_points, group_limits = read_limits(ARGV[8])

if wanted > 0 and not (tonumber(lock_ms) >= 1 and tonumber(lock_ms) < 1e14) then
    return redis.error_reply('ERR lock duration of ' .. lock_ms .. ' ms') -- SET would refuse it when the job has left its place
end

local FIXED_WORDS, WORDS_PER_JOB, WORDS_OF_ANOTHER = 8, 10, 3
-- A number given to a command is printed as a floating point number, which is slow: what is stored unchanged stays text.
local now = tonumber(now_text)
local SMALL = { '1', '2', '3', '4', '5', '6', '7', '8' }
local settings = read_settings(base)
local events = base .. 'events'
local refused, left_active, locks_to_drop = {}, {}, {}
local finished = { completed = 0, failed = 0 }
local last_finished = false  -- the last job that ended did so for good
local put_back, delayed, is_limited = false, false, false
local grouped = false        -- the queue has groups (includes/groups.lua)

-- Of each job: where its words begin, and where those that it shares with others do; its id, key and lock.
local count, starts, shared, ids, keys, lock_keys, locks = 0, {}, {}, {}, {}, {}, {}
local with_children = 0
local is_one_kind = true     -- all have completed under one lock
if #words > FIXED_WORDS then
    local child_keys = {}
    local at, first = FIXED_WORDS + 1, nil
    while at <= #words do
        count = count + 1
        local id = words[at + 1]
        local key = base .. id
        starts[count], ids[count], keys[count], lock_keys[count] = at, id, key, key .. ':lock'
        if words[at] == '=' then
            at = at + WORDS_OF_ANOTHER
        else
            is_one_kind = is_one_kind and words[at] == 'completed' and (not first or words[first + 2] == words[at + 2])
            first = at
            at = at + WORDS_PER_JOB
        end
        shared[count] = first
        if words[first] == 'completed' then
            child_keys[#child_keys + 1] = key .. ':dependencies'
            child_keys[#child_keys + 1] = key .. ':unsuccessful'
        end
    end
    lock_keys[count + 1] = base .. 'groups:turn' -- exists if the queue has groups; a call of its own would cost more
    locks = call('MGET', unpack(lock_keys))
    lock_keys[count + 1] = nil
    grouped = locks[count + 1] ~= false
    if #child_keys > 0 then with_children = call('EXISTS', unpack(child_keys)) end
end

-- Jobs taken together mostly end together: then they are the last of `active`, and leave it in one step.
local have_left = false
local function leave_together(owner)
    if count < 4 or not is_one_kind or with_children > 0 or owner == '0' then return end
    local last = call('LRANGE', base .. 'active', -count, '-1')
    if #last < count then return end
    local is_last = {}
    for i = 1, count do is_last[last[i]] = true end
    for i = 1, count do
        if not is_last[ids[i]] or locks[i] ~= owner then return end
        is_last[ids[i]] = nil -- an id that comes twice ends once
    end
    call('LTRIM', base .. 'active', '0', -count - 1)
    have_left = true
end
if count > 0 then leave_together(words[shared[1] + 2]) end

-- What a job's end means to other jobs may touch other queues, and fail there. The job itself has left `active` by then: it ends all
-- the same, and so do the others of the call.
local failures = {}
local function try(position, step, ...)
    local is_done, why = pcall(step, ...)
    if is_done then return end
    failures[#failures + 1] = position
    failures[#failures + 1] = type(why) == 'table' and why.err or tostring(why)
end

-- Finished jobs enter their set together as long as their keep policy is the same: trimming once then leaves what trimming
-- after each would.
local keeping = { target = nil, count = nil, age = nil, limit = nil, entries = {} }
local function flush_finished()
    if #keeping.entries == 0 then return end
    call('ZADD', base .. keeping.target, unpack(keeping.entries))
    keeping.entries = {}
    if keeping.count ~= '' or keeping.age ~= '' then
--@include "keep"
        try(0, apply_keep, base, keeping.target, tonumber(keeping.count), tonumber(keeping.age), tonumber(keeping.limit) or 1000, now)
    end
end

local function keep_finished(target, id, count, age, limit)
    if target ~= keeping.target or count ~= keeping.count or age ~= keeping.age or limit ~= keeping.limit then
        flush_finished()
        keeping.target, keeping.count, keeping.age, keeping.limit = target, count, age, limit
    end
    local entries = keeping.entries
    local n = #entries
    entries[n + 1], entries[n + 2] = now_text, id
end

-- nil, or the code for which the job cannot leave. Writes nothing unless the job leaves `active`.
local function leave_active(i, kind, id, key, owner, name)
    if not name and call('EXISTS', key) == 0 then
        if have_left then call('RPUSH', base .. 'active', id) end
        return -1
    end
    if kind == 'completed' and with_children > 0 then
        if call('SCARD', key .. ':dependencies') > 0 then return -4 end
        if call('ZCARD', key .. ':unsuccessful') > 0 then return -9 end
    end
    if owner ~= '0' and locks[i] ~= owner then return locks[i] and -6 or -2 end
    if not have_left and call('LREM', base .. 'active', '-1', id) == 0 then return -3 end
    if owner ~= '0' then
        left_active[#left_active + 1] = id
        locks_to_drop[#locks_to_drop + 1] = lock_keys[i]
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
    seldom().promote_due(base, settings, now)
end

for i = 1, count do
    local at, own = shared[i], starts[i]
    local kind, id, key, owner = words[at], ids[i], keys[i], words[at + 2]
    local value = words[own == at and at + 3 or own + 2]
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
            seldom().free_deduplication_id(base, deduplication_id, id)
            try(i, seldom().requeue_set_aside, base, settings, deduplication_id, now)
        end
        if parent_key then
            if not is_failed then
                try(i, seldom().deliver_to_parent, key, parent_key, value, now)
            elseif parent then
                try(i, seldom().fail_to_parent, key, parent, value, now)
            end
        end
        if words[at + 5] == '0' then
            local gone = {}
            append_job_keys(gone, key)
            delete_keys(gone)
            if parent_key then try(i, seldom().unlink_child, key, parent_key, now) end
        else
            if is_failed then
                local telemetry = string.sub(words[at + 9], 2)
                call('HSET', key, 'atm', made_text, 'failedReason', value, 'stacktrace', words[at + 4], 'finishedOn', now_text)
                if telemetry ~= '' then call('HSET', key, 'tm', telemetry) end
                if job[6] then call('HDEL', key, 'defa') end
            else
                call('HSET', key, 'atm', made_text, 'returnvalue', value, 'finishedOn', now_text)
            end
            keep_finished(kind, id, words[at + 5], words[at + 6], words[at + 7])
        end
        if is_failed then
            call('XADD', events, '*', 'event', 'failed', 'jobId', id, 'failedReason', value, 'prev', 'active')
            if made >= tonumber(words[at + 8]) then
                call('XADD', events, '*', 'event', 'retries-exhausted', 'jobId', id, 'attemptsMade', made_text)
            end
        else
            call('XADD', events, '*', 'event', 'completed', 'jobId', id, 'returnvalue', value, 'prev', 'active')
        end
        finished[kind] = finished[kind] + 1
        last_finished = true
    else
        local stack, argument = words[at + 4], words[at + 8]
        local flag, telemetry = string.sub(words[at + 9], 1, 1), string.sub(words[at + 9], 2)
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
            seldom().push_delayed(base, id, now + math.max(tonumber(argument), 0), max_events)
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
                seldom().push_prioritized(base, id, priority)
            end
            call('XADD', events, 'MAXLEN', '~', max_events, '*', 'event', 'waiting', 'jobId', id, 'prev', 'active')
            put_back = true
            is_limited = is_limited or (kind == 'release' and flag == 'P')
        end
        last_finished = false
    end
end

flush_finished()
-- Before anything is fetched: a job that went back to waiting may be taken again by this very call.
if #locks_to_drop > 0 then
    call('DEL', unpack(locks_to_drop))
    call('SREM', base .. 'stalled', unpack(left_active))
end
if metrics_points > 0 then
--@include "metrics"
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
        wanted = wanted, wanted_text = ARGV[4], now = now, now_text = now_text, token = token, lock_ms = lock_ms, worker = worker,
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
return { refused, jobs, limited_ms, next_delayed, #failures > 0 and failures or nil }
