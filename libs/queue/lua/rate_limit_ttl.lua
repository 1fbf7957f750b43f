--[[
How long a rate limit lasts. A counter that has reached its limit lasts to the end of its window. Writes nothing.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  int   limit to judge by (0: the queue's own `max`; without one any counter counts)
Returns  ms, 0 if nothing is limited, -1 a counter that does not expire, -2 no counter (only without a limit to judge by)
Events   none
BullMQ   6.7: getRateLimitTtl-2
--]]
local base = KEYS[1]
local max = tonumber(ARGV[1])
local call = redis.call
--@include "settings"

if max == 0 then max = read_settings(base).max end
if not max then return call('PTTL', base .. 'limiter') end
if max > (tonumber(call('GET', base .. 'limiter')) or 0) then return 0 end
return math.max(call('PTTL', base .. 'limiter'), 0)
