--[[
Pauses the queue for everybody: nothing is fetched any more, running jobs end, adding goes on. The ids stay where they are
(version 6; version 5 moved them to another list).

KEYS[1]  text  key base `<prefix>:<queue>:`
Returns  0
Events   paused
BullMQ   6.7: pause-7
--]]
local base = KEYS[1]
local call = redis.call

call('HSET', base .. 'meta', 'paused', 1)
call('DEL', base .. 'marker')
call('XADD', base .. 'events', '*', 'event', 'paused')
return 0
