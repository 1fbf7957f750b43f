--[[
Whether the global concurrency is used up.

KEYS[1]  text  key base `<prefix>:<queue>:`
Returns  1 or 0
Events   none
BullMQ   6.7: isMaxed-2
--]]
local base = KEYS[1]
local call = redis.call
--@include "settings"

local settings = read_settings(base)
if not settings.concurrency then return 0 end
return call('LLEN', base .. 'active') >= settings.concurrency and 1 or 0
