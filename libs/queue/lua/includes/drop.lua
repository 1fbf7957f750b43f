--@include "deduplication"
--@include "groups"
--@include "job_keys"
--@include "parents"
--@include "portions"

-- The job goes with all its keys, as part of clearing a whole place; the caller takes the id out of that place. A parent of the
-- same queue that waited for nothing else goes too, and so on upwards; one of another queue runs.
-- Events: those of a parent that runs.
local function drop(base, id, now)
    local key = base .. id
    local job = call('HMGET', key, 'parentKey', 'deid')
    local parent_key = job[1]
    if parent_key and call('SREM', parent_key .. ':dependencies', key) == 1
        and call('SCARD', parent_key .. ':dependencies') == 0 then
        local parent_base, parent_id = split_job_key(parent_key)
        if parent_base ~= base then
            release_parent(parent_key, now)
        elseif call('ZREM', base .. 'waiting-children', parent_id) == 1 then
            drop(base, parent_id, now)
        end
    end
    if has_groups(base) then groups().leave(base, id) end
    if job[2] then forget_deduplication_id(base, job[2], id) end
    local keys = {}
    append_job_keys(keys, key)
    delete_keys(keys)
end

-- The ids of the schedulers' pending jobs, as a set, and how many there are. O(schedulers).
local function pending_iterations(base)
    local pending, count = {}, 0
    local schedulers = call('ZRANGE', base .. 'repeat', 0, -1, 'WITHSCORES')
    for i = 1, #schedulers, 2 do
        pending['repeat:' .. schedulers[i] .. ':' .. schedulers[i + 1]] = true
        count = count + 1
    end
    return pending, count
end

-- Hands every waiting job of a group to `take` (group, id), which takes it out of its group, until `take` says false.
local function each_grouped(base, take)
    if not has_groups(base) then return end
    for _, place in ipairs({ 'groups', 'groups:limited', 'groups:maxed', 'groups:paused' }) do
        for _, group in ipairs(call('ZRANGE', base .. place, 0, -1)) do
            for _, id in ipairs(call('ZRANGE', groups().key(base, group, 'wait'), 0, 9999)) do
                if not take(group, id) then return end
            end
        end
    end
end
