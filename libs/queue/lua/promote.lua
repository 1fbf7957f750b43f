--[[
Lets a delayed job run now. Invariant: it is in one place before and after, and its delay is 0 afterwards.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id
Returns  0, -1 no hash, -3 not delayed
Events   waiting (prev=delayed)
Cost     O(log n)
BullMQ   6.7: promote-9
--]]
local base = KEYS[1]
local id = ARGV[1]
local call = redis.call
--@include "ready"

local key = base .. id
local job = call('HMGET', key, 'name', 'priority', 'gid', 'gpr')
if not job[1] and call('EXISTS', key) == 0 then return -1 end
if call('ZREM', base .. 'delayed', id) == 0 then return -3 end
push_ready(base, id, { priority = tonumber(job[2]) or 0, group = job[3], group_priority = job[4] })
call('HSET', key, 'delay', 0)
call('XADD', base .. 'events', '*', 'event', 'waiting', 'jobId', id, 'prev', 'delayed')
wake_ready(base, read_settings(base))
return 0
