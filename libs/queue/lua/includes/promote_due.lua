--@include "marker"
--@include "places"
--@include "groups"

-- Moves up to 1000 delayed jobs that are due at `now` to where they wait, oldest first, and wakes a worker. Runs before every
-- fetch, also while the queue is paused or limited. An id without a job is dropped. O(log n) per job.
-- Events: waiting (prev=delayed) per job.
local function promote_due(base, settings, now)
    local due = call('ZRANGEBYSCORE', base .. 'delayed', '-inf', (now + 1) * 4096 - 1, 'LIMIT', 0, 1000)
    if #due == 0 then return end
    call('ZREM', base .. 'delayed', unpack(due))
    local plain = {}
    local grouped = has_groups(base)
    for _, id in ipairs(due) do
        local key = base .. id
        local job = call('HMGET', key, 'name', 'priority')
        if job[1] then
            local priority = tonumber(job[2]) or 0
            local member = grouped and call('HMGET', key, 'gid', 'gpr')
            if member and member[1] then
                groups().push(base, member[1], id, member[2], false)
            elseif priority == 0 then
                plain[#plain + 1] = id
            else
                push_prioritized(base, id, priority)
            end
            call('XADD', base .. 'events', '*', 'event', 'waiting', 'jobId', id, 'prev', 'delayed')
            call('HSET', key, 'delay', 0)
        end
    end
    if #plain > 0 then call('LPUSH', base .. 'wait', unpack(plain)) end
    wake(base, settings)
    if grouped then groups().wake(base, settings) end
end
