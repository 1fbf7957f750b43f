--[[
Pauses a group or lets it go on. Invariant: no job of a paused group is started by who knows groups; those that run go on. A group
without jobs can be paused too.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  int   now, ms
ARGV[2]  text  group
ARGV[3]  text  "1" pause, "0" go on
Returns  1 done, 0 it was so already
Events   none
Cost     O(log n)
BullMQ   none; Pro: pauseGroup, resumeGroup
--]]
local base = KEYS[1]
local now, group, pause = ARGV[1], ARGV[2], ARGV[3] == '1'
local call = redis.call
--@include "groups"

if pause then
    if call('ZADD', base .. 'groups:paused', 'NX', now, group) == 0 then return 0 end
    call('INCR', base .. 'groups:turn') -- the queue has groups from now on
    for _, place in ipairs({ 'groups', 'groups:limited', 'groups:maxed' }) do call('ZREM', base .. place, group) end
    return 1
end
if call('ZREM', base .. 'groups:paused', group) == 0 then return 0 end
if call('EXISTS', groups().key(base, group, 'wait')) == 1 then
    groups().offer(base, group)
    groups().wake(base, read_settings(base))
end
return 1
