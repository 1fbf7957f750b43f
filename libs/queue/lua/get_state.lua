--[[
The state of a job.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id
Returns  completed, failed, delayed, prioritized, waiting-children, active, waiting, or unknown
Events   none
Cost     O(1), or O(length of `wait`) for a job that waits there
BullMQ   6.7: getState-8
--]]
local base = KEYS[1]
local id = ARGV[1]
local call = redis.call
--@include "state"

return state_of(base, id)
