--[[
Puts a finished job back to waiting, with its attempts as they are. If it is a child, its parent counts it as pending again;
the parent itself stays where it is. Invariant: the outcome of the earlier run is gone from the hash and from the parent.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id
ARGV[2]  text  completed or failed: where it is
Returns  0, -1 no hash, -3 not in that state
Events   waiting (prev=<state>)
Cost     O(log n)
BullMQ   6.7: reprocessJob-9
--]]
local base = KEYS[1]
local id, state = ARGV[1], ARGV[2]
local call = redis.call
--@include "marker"
--@include "places"

local key = base .. id
if call('EXISTS', key) == 0 then return -1 end
if call('ZREM', base .. state, id) == 0 then return -3 end
local job = call('HMGET', key, 'priority', 'parentKey', 'opts')
call('HDEL', key, 'finishedOn', 'processedOn', state == 'completed' and 'returnvalue' or 'failedReason')
local priority = tonumber(job[1]) or 0
if priority == 0 then
    local readable, opts = pcall(cjson.decode, job[3] or '{}')
    local is_lifo = readable and type(opts) == 'table' and opts.lifo == true
    call(is_lifo and 'RPUSH' or 'LPUSH', base .. 'wait', id)
else
    push_prioritized(base, id, priority)
end
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
local settings = read_settings(base)
call('XADD', base .. 'events', 'MAXLEN', '~', events_length(base, settings), '*', 'event', 'waiting', 'jobId', id,
     'prev', state)
wake(base, settings)
return 0
