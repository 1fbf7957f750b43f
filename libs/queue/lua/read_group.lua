--[[
One group at one moment.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  group
Returns  [ waiting, limited, maxed, paused, or idle (no job waits), waiting jobs, active jobs, its own concurrency, max and duration
         (ms; nil: none), ms until its rate limit window ends (0: none) ]
Events   none
Cost     O(log n)
BullMQ   none; Pro: getGroupStatus, getGroupJobsCount, getGroupActiveCount, getGroupConcurrency
--]]
local base = KEYS[1]
local group = ARGV[1]
local call = redis.call
--@include "groups"

local status = 'idle'
for name, place in pairs({ waiting = 'groups', limited = 'groups:limited', maxed = 'groups:maxed', paused = 'groups:paused' }) do
    if call('ZSCORE', base .. place, group) then status = name end
end
return {
    status,
    call('ZCARD', groups().key(base, group, 'wait')),
    call('SCARD', groups().key(base, group, 'active')),
    call('HGET', base .. 'groups:concurrency', group),
    call('HGET', base .. 'groups:max', group),
    call('HGET', base .. 'groups:duration', group),
    math.max(call('PTTL', groups().key(base, group, 'limiter')), 0),
}
