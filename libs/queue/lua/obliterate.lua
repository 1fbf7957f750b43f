--[[
Removes a paused queue bit by bit: jobs first, the queue's own keys last. Repeat the call until it says 0. Invariants: nothing is
removed from a queue that is not paused, nor from one with active jobs unless that is asked for; jobs of other queues stay, and a
parent there stops waiting for what is removed here.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  int   now, ms
ARGV[2]  text  "1": active jobs too, with their locks
ARGV[3]  int   jobs to remove at most in this call, 1 … 10000
ARGV[4]  text  "1": when no job is left, remove the queue's own keys too; otherwise only jobs
Returns  number of jobs removed (0: all done), -1 not paused, -2 there are active jobs
Events   none here; those of a parent on another queue that runs
Cost     O(jobs removed)
BullMQ   6.7: obliterate-2
--]]
local base = KEYS[1]
local now, is_forced, most, is_last = tonumber(ARGV[1]), ARGV[2] == '1', tonumber(ARGV[3]), ARGV[4] == '1'
local call = redis.call
--@include "drop"

if call('HEXISTS', base .. 'meta', 'paused') == 0 then return -1 end
if not is_forced and call('EXISTS', base .. 'active') == 1 then return -2 end

local removed = 0
for _, place in ipairs({ 'active', 'wait', 'paused' }) do
    local ids = removed < most and call('LRANGE', base .. place, 0, most - removed - 1) or {}
    for _, id in ipairs(ids) do
        if place == 'active' then call('DEL', base .. id .. ':lock') end
        drop(base, id, now)
    end
    if #ids > 0 then call('LTRIM', base .. place, #ids, -1) end
    removed = removed + #ids
end
for _, place in ipairs({ 'delayed', 'prioritized', 'completed', 'failed', 'waiting-children' }) do
    local ids = removed < most and call('ZRANGE', base .. place, 0, most - removed - 1) or {}
    for _, id in ipairs(ids) do drop(base, id, now) end
    in_portions('ZREM', base .. place, ids)
    removed = removed + #ids
end
each_grouped(base, function(group, id)
    if removed >= most then return false end
    groups().pull(base, group, id)
    drop(base, id, now)
    removed = removed + 1
    return true
end)
local schedulers = removed < most and call('ZRANGE', base .. 'repeat', 0, most - removed - 1) or {}
for _, scheduler in ipairs(schedulers) do call('DEL', base .. 'repeat:' .. scheduler) end
in_portions('ZREM', base .. 'repeat', schedulers)
removed = removed + #schedulers
if removed > 0 or not is_last then return removed end

local keys = {}
for _, suffix in ipairs({
    'events', 'delay', 'priority', 'stalled-check', 'stalled', 'id', 'pc', 'marker', 'limiter', 'meta',
    'groups', 'groups:limited', 'groups:maxed', 'groups:paused', 'groups:active', 'groups:waiting', 'groups:turn',
    'groups:marker', 'groups:concurrency', 'groups:max', 'groups:duration', 'metrics:completed', 'metrics:completed:data', 'metrics:failed', 'metrics:failed:data',
}) do keys[#keys + 1] = base .. suffix end
delete_keys(keys)
return 0
