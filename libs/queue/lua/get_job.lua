--[[
A job and its state at one moment.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id
Returns  [ state, fields and values of the hash ]; the hash is empty if there is no such job
Events   none
Cost     O(1), or O(length of `wait`) for a job that waits there
BullMQ   6.7: getState-8 and HGETALL
--]]
local base = KEYS[1]
local id = ARGV[1]
local call = redis.call
--@include "state"

return { state_of(base, id), call('HGETALL', base .. id) }
