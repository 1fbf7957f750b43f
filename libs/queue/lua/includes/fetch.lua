--@include "seldom"
--@include "reply_size"

-- The job has just been taken from where it waited: lock, event and counters. Events: active (prev=waiting).
-- job: fields and values of the hash `key`, which becomes what fetch_jobs returns. False for an id without a job.
local function activate(base, request, id, key, job, limit)
    local named, started, deferred, group = false, 0, false, nil
    for i = 1, #job, 2 do
        local field = job[i]
        if field == 'name' then
            named = true
        elseif field == 'ats' then
            started = tonumber(job[i + 1])
        elseif field == 'defa' then
            deferred = true
        elseif field == 'gid' then
            group = job[i + 1]
        end
    end
    if not named then return false end
    if limit.max and not deferred then
        local used = call('INCR', base .. 'limiter')
        if used == 1 and limit.duration then call('PEXPIRE', base .. 'limiter', limit.duration) end
        if limit.budget then limit.budget = limit.budget - 1 end
    end
    if request.token ~= '0' then call('SET', key .. ':lock', request.token, 'PX', request.lock_ms) end
    call('XADD', base .. 'events', '*', 'event', 'active', 'jobId', id, 'prev', 'waiting')
    local runs = started == 0 and '1' or started + 1
    if request.worker ~= '' then
        call('HSET', key, 'processedOn', request.now_text, 'ats', runs, 'pb', request.worker)
    else
        call('HSET', key, 'processedOn', request.now_text, 'ats', runs)
    end
    if group then
        groups().enter(base, group, id, request.group_limits, deferred)
    end
    job[#job + 1] = id
    return true
end

-- Whether the reply has room for one more job of this size; the first always fits.
local function fits(request, jobs, size)
    local sum = (request.bytes or 0) + size
    if sum > REPLY_BYTES and #jobs > 0 then return false end
    request.bytes = sum
    return true
end

-- The ids from this position on go back to where they were popped from. popped: what ZPOPMIN said; nil: RPOP.
local function return_rest(base, ids, from, popped)
    for i = #ids, from, -1 do
        if popped then
            call('ZADD', base .. 'prioritized', popped[i * 2], ids[i])
        else
            call('RPUSH', base .. 'wait', ids[i])
        end
    end
end

-- Takes up to `room` jobs from the groups, each time from the one whose turn it is; when there is none, one of those with all slots in
-- use is looked at, since another client may have ended its jobs without knowing of groups. Appends to `jobs`. The time when the next
-- group's rate limit ends, or nil. O(log n) per job.
local function fetch_from_groups(base, request, jobs, room, limit)
    local steps = groups()
    steps.end_limits(base, request.now)
    local is_looked_again = false
    while #jobs < room and limit.budget ~= 0 do
        local group = call('ZRANGE', base .. 'groups', 0, 0)[1]
        if not group and not is_looked_again then
            is_looked_again = true
            group = steps.first_maxed(base)
        end
        if not group then break end
        if steps.place(base, group, request.group_limits, request.now) then
            local first = call('ZPOPMIN', steps.key(base, group, 'wait'))
            local id = first[1]
            local key = base .. id
            local job = call('HGETALL', key)
            local size = size_of(job)
            if not fits(request, jobs, size) then
                call('ZADD', steps.key(base, group, 'wait'), first[2], id)
                break
            end
            call('DECR', base .. 'groups:waiting')
            job = readable(job, size)
            if activate(base, request, id, key, job, limit) then
                call('LPUSH', base .. 'active', id)
                jobs[#jobs + 1] = job
            end
            steps.place(base, group, request.group_limits, request.now)
        end
    end
    if #jobs > 0 and call('EXISTS', base .. 'groups') == 1 then call('ZADD', base .. 'groups:marker', '0', '0') end
    return tonumber(call('ZRANGE', base .. 'groups:limited', 0, 0, 'WITHSCORES')[2])
end

-- Takes up to `request.wanted` jobs: `wait` first, then `prioritized`, then groups in turn. Keeps these invariants: an id is in `active` before this
-- returns it, with a lock of its own that expires; nothing is taken while the queue is paused, at its global concurrency or
-- over its rate limit; the reply stays below what clients read (reply_size). An id without a job is dropped instead of being run as an
-- empty job. lock_ms is 1 or more: the caller checks it before it writes anything.
-- request: wanted (also as wanted_text), now (ms, also as now_text), token, lock_ms, worker, limit_max, limit_duration (numbers or nil), and
-- group_limits: concurrency, max, duration (numbers or nil).
-- Returns the jobs (each the fields and values of its hash as they were before, then its id), the ms to wait because of a rate
-- limit (0: none), and the time of the next delayed job or end of a group's limit (0: none is known).
-- Events: waiting (prev=delayed) for due jobs; active (prev=waiting) per job. O(log n) per job.
local function fetch_jobs(base, settings, request)
    local now = request.now
    local jobs = {}
    local first = call('ZRANGE', base .. 'delayed', '0', '0', 'WITHSCORES')[2]
    local is_due = first and tonumber(first) < (now + 1) * 4096
    if is_due then seldom().promote_due(base, settings, now) end

    local max = settings.max or request.limit_max
    local budget
    if max then
        budget = max - (tonumber(call('GET', base .. 'limiter')) or 0)
        if budget <= 0 then
            local ttl = call('PTTL', base .. 'limiter')
            local window = request.limit_duration or settings.duration
            if ttl == -1 and window then -- left by a worker that knew no window
                ttl = window
                call('PEXPIRE', base .. 'limiter', window)
            end
            if ttl > 0 then return jobs, ttl, 0 end
            if ttl == 0 then
                call('DEL', base .. 'limiter')
                budget = max
            else
                budget = nil -- a counter without expiry limits nothing, as for other clients
            end
        end
    end

    local room = request.wanted
    if settings.paused then return jobs, 0, 0 end
    if settings.concurrency then
        room = math.min(room, settings.concurrency - call('LLEN', base .. 'active'))
        if room <= 0 then return jobs, 0, 0 end
    end

    local limit = { max = max, budget = budget, duration = request.limit_duration or settings.duration }
    while #jobs < room and limit.budget ~= 0 do
        local count = room - #jobs
        if limit.budget and limit.budget < count then count = limit.budget end
        -- A number given to a command is printed as a floating point number, which is slow.
        local ids, popped = call('RPOP', base .. 'wait', count == request.wanted and request.wanted_text or count), nil
        if not ids then
            popped = call('ZPOPMIN', base .. 'prioritized', count)
            if #popped == 0 then
                call('DEL', base .. 'pc')
                break
            end
            ids = {}
            for i = 1, #popped, 2 do ids[#ids + 1] = popped[i] end
        end
        local taken = {}
        for n, id in ipairs(ids) do
            local key = base .. id
            local job = call('HGETALL', key)
            local size = size_of(job)
            if not fits(request, jobs, size) then
                return_rest(base, ids, n, popped)
                room = #jobs
                break
            end
            job = readable(job, size)
            if activate(base, request, id, key, job, limit) then
                taken[#taken + 1] = id
                jobs[#jobs + 1] = job
            end
        end
        if #taken > 0 then call('LPUSH', base .. 'active', unpack(taken)) end
    end
    local next_limit_end
    if #jobs < room and limit.budget ~= 0 and has_groups(base) then
        next_limit_end = fetch_from_groups(base, request, jobs, room, limit)
    end

    -- Always, so that a burst wakes one worker after the other.
    if #jobs > 0 then call('ZADD', base .. 'marker', '0', '0') end
    if #jobs == request.wanted then return jobs, 0, 0 end
    if limit.budget == 0 then return jobs, math.max(call('PTTL', base .. 'limiter'), 0), 0 end
    if is_due then first = call('ZRANGE', base .. 'delayed', '0', '0', 'WITHSCORES')[2] end
    local next_time = first and math.floor(first / 4096) or 0
    if next_limit_end and (next_time == 0 or next_limit_end < next_time) then next_time = next_limit_end end
    return jobs, 0, next_time
end
