--[[
Ids per state at one moment. Markers of very old clients at the tail of a list are not counted.

KEYS[1]  text  key base `<prefix>:<queue>:`
Returns  [ waiting (with the version 5 list `paused` and jobs of groups), active, completed, failed, delayed, prioritized, waiting-children ]
Events   none
Cost     O(1)
BullMQ   6.7: getCounts-1
--]]
local base = KEYS[1]
local call = redis.call
--@include "counts"

return count_states(base)
