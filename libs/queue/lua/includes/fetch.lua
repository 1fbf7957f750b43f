--@include "promote_due"

-- Takes up to `request.wanted` jobs: `wait` first, then `prioritized`. Keeps these invariants: an id is in `active` before this
-- returns it, with a lock of its own that expires; nothing is taken while the queue is paused, at its global concurrency or
-- over its rate limit. An id without a job is dropped instead of being run as an empty job.
-- request: wanted, now (ms, also as now_text), token, lock_ms, worker, and limit_max, limit_duration (numbers or nil).
-- Returns the jobs (each the fields and values of its hash as they were before, then its id), the ms to wait because of a rate
-- limit (0: none), and the time of the next delayed job (0: none is known).
-- Events: waiting (prev=delayed) for due jobs; active (prev=waiting) per job. O(log n) per job.
local function fetch_jobs(base, settings, request)
    local now = request.now
    local jobs = {}
    promote_due(base, settings, now)

    local max = settings.max or request.limit_max
    local budget
    if max then
        budget = max - (tonumber(call('GET', base .. 'limiter')) or 0)
        if budget <= 0 then
            local ttl = call('PTTL', base .. 'limiter')
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

    local events = base .. 'events'
    local worker = request.worker
    while #jobs < room and budget ~= 0 do
        local count = room - #jobs
        if budget and budget < count then count = budget end
        local ids = call('RPOP', base .. 'wait', count)
        if not ids then
            local popped = call('ZPOPMIN', base .. 'prioritized', count)
            if #popped == 0 then
                call('DEL', base .. 'pc')
                break
            end
            ids = {}
            for i = 1, #popped, 2 do ids[#ids + 1] = popped[i] end
        end
        local taken = {}
        for _, id in ipairs(ids) do
            local key = base .. id
            local job = call('HGETALL', key)
            local named, started, deferred = false, 0, false
            for i = 1, #job, 2 do
                local field = job[i]
                if field == 'name' then
                    named = true
                elseif field == 'ats' then
                    started = tonumber(job[i + 1])
                elseif field == 'defa' then
                    deferred = true
                end
            end
            if named then
                if max and not deferred then
                    local used = call('INCR', base .. 'limiter')
                    local duration = request.limit_duration or settings.duration
                    if used == 1 and duration then call('PEXPIRE', base .. 'limiter', duration) end
                    if budget then budget = budget - 1 end
                end
                call('SET', key .. ':lock', request.token, 'PX', request.lock_ms)
                call('XADD', events, '*', 'event', 'active', 'jobId', id, 'prev', 'waiting')
                local runs = started == 0 and '1' or started + 1
                if worker ~= '' then
                    call('HSET', key, 'processedOn', request.now_text, 'ats', runs, 'pb', worker)
                else
                    call('HSET', key, 'processedOn', request.now_text, 'ats', runs)
                end
                taken[#taken + 1] = id
                job[#job + 1] = id
                jobs[#jobs + 1] = job
            end
        end
        if #taken > 0 then call('LPUSH', base .. 'active', unpack(taken)) end
    end

    -- Always, so that a burst wakes one worker after the other.
    if #jobs > 0 then call('ZADD', base .. 'marker', 0, '0') end
    if #jobs == request.wanted then return jobs, 0, 0 end
    if budget == 0 then return jobs, math.max(call('PTTL', base .. 'limiter'), 0), 0 end
    local first = call('ZRANGE', base .. 'delayed', 0, 0, 'WITHSCORES')
    return jobs, 0, first[2] and math.floor(first[2] / 4096) or 0
end
