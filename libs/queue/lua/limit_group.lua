--[[
Nobody starts a job of a group for a while. Invariant: the group is where a limited group belongs, so that others are not held up.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  int   now, ms
ARGV[2]  text  group
ARGV[3]  int   how long, ms
Returns  0
Events   none
Cost     O(log n)
BullMQ   none; Pro: rateLimitGroup
--]]
local base = KEYS[1]
local now, group, duration = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local call = redis.call
--@include "groups"

call('SET', groups().key(base, group, 'limiter'), '9007199254740991', 'PX', duration)
call('INCR', base .. 'groups:turn') -- the queue has groups from now on
if call('ZREM', base .. 'groups', group) + call('ZREM', base .. 'groups:maxed', group) > 0 then
    call('ZADD', base .. 'groups:limited', now + duration, group)
elseif call('ZSCORE', base .. 'groups:limited', group) then
    call('ZADD', base .. 'groups:limited', now + duration, group)
end
return 0
