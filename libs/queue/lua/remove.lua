--[[
Removes one job with its children, wherever they are, children first. Invariants: a job with a lock is never removed, and then
nothing is; a parent elsewhere stops waiting for what is removed; the pending job of a scheduler stays, since the scheduler
lives by it.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id
ARGV[2]  int   now, ms
Returns  1 removed, 0 it or a child is running, -1 there is no such job, -8 the pending job of a scheduler
Events   removed (prev=<place>) per job, on its own queue
Cost     O(size of the flow); O(n) for an id in a list
BullMQ   6.7: removeJob-2
--]]
local base = KEYS[1]
local id, now = ARGV[1], tonumber(ARGV[2])
local call = redis.call
--@include "deduplication"
--@include "job_keys"
--@include "parents"

local function is_running(key)
    if call('EXISTS', key .. ':lock') == 1 then return true end
    for _, child in ipairs(call('SMEMBERS', key .. ':dependencies')) do
        if is_running(child) then return true end
    end
    return false
end

-- Takes the id out of its place; the place's name as the event says it.
local function take_out(of, job_id)
    for _, place in ipairs({ 'completed', 'waiting-children', 'delayed', 'failed', 'prioritized' }) do
        if call('ZREM', of .. place, job_id) == 1 then return place end
    end
    for _, place in ipairs({ 'wait', 'paused', 'active' }) do
        if call('LREM', of .. place, 0, job_id) > 0 then return place end
    end
    return 'unknown'
end

local function remove_with_children(key)
    local of, job_id = split_job_key(key)
    local job = call('HMGET', key, 'parentKey', 'deid')
    if job[1] then unlink_child(key, job[1], now) end
    local children = {}
    local function collect(list, step)
        for i = 1, #list, step do children[#children + 1] = list[i] end
    end
    collect(call('HKEYS', key .. ':processed'), 1)
    collect(call('HKEYS', key .. ':failed'), 1)
    collect(call('ZRANGE', key .. ':unsuccessful', 0, -1), 1)
    collect(call('SMEMBERS', key .. ':dependencies'), 1)
    for _, child in ipairs(children) do remove_with_children(child) end

    local place = take_out(of, job_id)
    if job[2] then forget_deduplication_id(of, job[2], job_id) end
    local keys = {}
    append_job_keys(keys, key)
    local existed = delete_keys(keys) > 0
    if existed then
        local length = events_length(of, read_settings(of))
        call('XADD', of .. 'events', 'MAXLEN', '~', length, '*', 'event', 'removed', 'jobId', job_id, 'prev', place)
    end
    return existed or place ~= 'unknown'
end

local key = base .. id
local scheduler = call('HGET', key, 'rjk')
if scheduler then
    local pending = call('ZSCORE', base .. 'repeat', scheduler)
    if pending and 'repeat:' .. scheduler .. ':' .. pending == id then return -8 end
end
if is_running(key) then return 0 end
if string.find(id, ':', 1, true) then
    -- An id with colons (a scheduler's) cannot be told from its key; it has no children either.
    local job = call('HMGET', key, 'parentKey', 'deid')
    local place = take_out(base, id)
    if job[2] then forget_deduplication_id(base, job[2], id) end
    local keys = {}
    append_job_keys(keys, key)
    local existed = delete_keys(keys) > 0
    if existed then
        local length = events_length(base, read_settings(base))
        call('XADD', base .. 'events', 'MAXLEN', '~', length, '*', 'event', 'removed', 'jobId', id, 'prev', place)
    end
    return (existed or place ~= 'unknown') and 1 or -1
end
return remove_with_children(key) and 1 or -1
