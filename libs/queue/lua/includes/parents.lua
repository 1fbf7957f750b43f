--@include "marker"
--@include "places"
--@include "groups"

-- A full job key as the key base of its queue and its id. Ids of flow members have no colon.
local function split_job_key(key)
    return string.match(key, '^(.*:)([^:]*)$')
end

-- Puts a parent that has just left `waiting-children` (or `delayed`) where its own delay and priority say.
-- Events, on the parent's queue: delayed, or waiting (prev=waiting-children).
local function enqueue_parent(parent_key, base, id, now)
    local fields = call('HMGET', parent_key, 'delay', 'priority', 'gid', 'gpr')
    local delay = tonumber(fields[1]) or 0
    local priority = tonumber(fields[2]) or 0
    if delay > 0 then
        local at = now + delay
        call('ZADD', base .. 'delayed', at * 4096, id)
        call('XADD', base .. 'events', '*', 'event', 'delayed', 'jobId', id, 'delay', at)
        wake_at_next_delayed(base)
        return
    end
    if fields[3] then
        groups().push(base, fields[3], id, fields[4], true)
    elseif priority == 0 then
        call('RPUSH', base .. 'wait', id)
    else
        push_prioritized(base, id, priority)
    end
    call('XADD', base .. 'events', '*', 'event', 'waiting', 'jobId', id, 'prev', 'waiting-children')
    local settings = read_settings(base)
    wake(base, settings)
    if fields[3] then groups().wake(base, settings) end
end

-- Lets a parent that waits for children run. Nothing happens if it is gone or somewhere else.
local function release_parent(parent_key, now)
    if call('EXISTS', parent_key) == 0 then return end
    local base, id = split_job_key(parent_key)
    if call('ZREM', base .. 'waiting-children', id) == 1 then enqueue_parent(parent_key, base, id, now) end
end

local function release_parent_without_pending(parent_key, now)
    if call('SCARD', parent_key .. ':dependencies') == 0 then release_parent(parent_key, now) end
end

-- A child disappears without a result: its parent stops waiting for it.
local function unlink_child(child_key, parent_key, now)
    if call('EXISTS', parent_key) == 0 then return end
    if call('SREM', parent_key .. ':dependencies', child_key) == 1 then
        release_parent_without_pending(parent_key, now)
    end
end

-- A child has completed: its value goes to the parent, which runs once it was the last.
local function deliver_to_parent(child_key, parent_key, value, now)
    if call('SREM', parent_key .. ':dependencies', child_key) == 1 then
        call('HSET', parent_key .. ':processed', child_key, value)
        release_parent_without_pending(parent_key, now)
    end
end

-- A child has failed for good. What that means for the parent is a flag in the child's `parent` text:
--   fpof  the parent fails too: it is released now with a deferred failure, which whoever fetches it obeys
--   cpof  the parent runs at once, pending children or not
--   idof  the failure is recorded and the child counts as done
--   rdof  the child counts as done
-- Without a flag the parent keeps waiting.
local function fail_to_parent(child_key, parent_text, reason, now)
    local link = cjson.decode(parent_text)
    if not (link.fpof or link.cpof or link.idof or link.rdof) then return end
    local base = link.queueKey .. ':'
    local id = link.id
    local parent_key = base .. id
    if call('SREM', parent_key .. ':dependencies', child_key) == 0 then return end
    if link.fpof then
        call('ZADD', parent_key .. ':unsuccessful', now, child_key)
        if call('EXISTS', parent_key) == 0 then return end
        local defa = 'child ' .. child_key .. ' failed'
        local taken = call('ZREM', base .. 'waiting-children', id) == 1
        if not taken and call('ZREM', base .. 'delayed', id) == 1 then
            taken = true
            call('HSET', parent_key, 'delay', 0)
        end
        if taken then
            call('HSET', parent_key, 'defa', defa)
            enqueue_parent(parent_key, base, id, now)
        elseif not call('ZSCORE', base .. 'failed', id) then
            call('HSET', parent_key, 'defa', defa)
        end
    elseif link.cpof then
        call('HSET', parent_key .. ':failed', child_key, reason)
        release_parent(parent_key, now)
    else
        release_parent_without_pending(parent_key, now)
        if link.idof then call('HSET', parent_key .. ':failed', child_key, reason) end
    end
end
