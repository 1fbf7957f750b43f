--@include "ready"

-- A finished job that has just left `state` waits again, where its group or priority says; its attempts stay unless `resets` (the fields
-- to forget) names them. If it is a child, its parent counts it as pending again; the parent itself stays where it is. The
-- caller wakes workers (wake_ready). False: there is no such job, and nothing was put anywhere.
-- Events: waiting (prev=<state>). O(log n).
local function put_back_finished(base, id, state, resets, may_be_lifo, max_events)
    local key = base .. id
    local job = call('HMGET', key, 'priority', 'parentKey', 'opts', 'name', 'gid', 'gpr')
    if not job[4] and call('EXISTS', key) == 0 then return false end
    call('HDEL', key, 'finishedOn', 'processedOn', state == 'completed' and 'returnvalue' or 'failedReason',
         unpack(resets))
    local priority = tonumber(job[1]) or 0
    local is_lifo = false
    if may_be_lifo and priority == 0 then
        local readable, opts = pcall(cjson.decode, job[3] or '{}')
        is_lifo = readable and type(opts) == 'table' and opts.lifo == true
    end
    push_ready(base, id, { priority = priority, group = job[5], group_priority = job[6], at_front = is_lifo })
    local parent_key = job[2]
    if parent_key and call('EXISTS', parent_key) == 1 then
        local was_there
        if state == 'completed' then
            was_there = call('HDEL', parent_key .. ':processed', key)
        else
            was_there = call('ZREM', parent_key .. ':unsuccessful', key) + call('HDEL', parent_key .. ':failed', key)
        end
        if was_there > 0 then call('SADD', parent_key .. ':dependencies', key) end
    end
    call('XADD', base .. 'events', 'MAXLEN', '~', max_events, '*', 'event', 'waiting', 'jobId', id, 'prev', state)
    return true
end
