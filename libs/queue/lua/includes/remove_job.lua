--@include "deduplication"
--@include "groups"
--@include "job_keys"
--@include "parents"

-- True if the job, or one of the descendants that it waits for, has a lock. O(size of the flow).
local function is_running(key, with_children)
    if call('EXISTS', key .. ':lock') == 1 then return true end
    if not with_children then return false end
    for _, child in ipairs(call('SMEMBERS', key .. ':dependencies')) do
        if is_running(child, true) then return true end
    end
    return false
end

-- Takes the id out of its place; the place's name as the event says it. O(log n), O(n) for one that is in a list.
local function take_out(base, id)
    local group = call('HGET', base .. id, 'gid')
    if group and groups().pull(base, group, id) then return 'wait' end
    for _, place in ipairs({ 'completed', 'waiting-children', 'delayed', 'failed', 'prioritized' }) do
        if call('ZREM', base .. place, id) == 1 then return place end
    end
    for _, place in ipairs({ 'wait', 'paused', 'active' }) do
        if call('LREM', base .. place, 0, id) > 0 then
            if group and place == 'active' then groups().leave(base, id) end
            return place
        end
    end
    return 'unknown'
end

-- The id leaves its place and its keys go, with its claim on a deduplication id. True if there was anything.
-- Events: removed (prev=<place>).
local function remove_alone(base, id, deduplication_id)
    local place = take_out(base, id)
    if deduplication_id then forget_deduplication_id(base, deduplication_id, id) end
    local keys = {}
    append_job_keys(keys, base .. id)
    local existed = delete_keys(keys) > 0
    if existed then
        local length = events_length(base, read_settings(base))
        call('XADD', base .. 'events', 'MAXLEN', '~', length, '*', 'event', 'removed', 'jobId', id, 'prev', place)
    end
    return existed or place ~= 'unknown'
end

-- Every child that the parent knows: finished ones first.
local function children_of(key)
    local children = {}
    local function collect(list)
        for _, child in ipairs(list) do children[#children + 1] = child end
    end
    collect(call('HKEYS', key .. ':processed'))
    collect(call('HKEYS', key .. ':failed'))
    collect(call('ZRANGE', key .. ':unsuccessful', 0, -1))
    collect(call('SMEMBERS', key .. ':dependencies'))
    return children
end

local function remove_with_children(key, now)
    local base, id = split_job_key(key)
    local job = call('HMGET', key, 'parentKey', 'deid')
    if job[1] then unlink_child(key, job[1], now) end
    for _, child in ipairs(children_of(key)) do remove_with_children(child, now) end
    return remove_alone(base, id, job[2])
end
