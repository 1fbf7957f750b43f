--[[
Stores a group's own limits, which have precedence over those that workers say. Invariant: a group that the old limits held up is
offered again at once.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  group
ARGV[2…] 2 words per setting: concurrency, max or duration (ms); value (empty: remove)
Returns  0
Events   none
Cost     O(log n)
BullMQ   none; Pro: setGroupConcurrency, setGroupRateLimit
--]]
local base = KEYS[1]
local words = ARGV
local group = words[1]
local call = redis.call
--@include "groups"

for i = 2, #words, 2 do
    if words[i + 1] == '' then
        call('HDEL', base .. 'groups:' .. words[i], group)
    else
        call('HSET', base .. 'groups:' .. words[i], group, words[i + 1])
    end
end
if call('ZREM', base .. 'groups:maxed', group) + call('ZREM', base .. 'groups:limited', group) > 0 then
    groups().offer(base, group)
    groups().wake(base, read_settings(base))
end
return 0
