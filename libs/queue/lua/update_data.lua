--[[
Replaces a job's data. Invariant: no hash is created for a job that is gone.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id
ARGV[2]  text  data, JSON
Returns  0, or -1 no hash
Events   none
BullMQ   6.7: updateData-1
--]]
local base = KEYS[1]
local id, data = ARGV[1], ARGV[2]
local call = redis.call

local key = base .. id
if call('EXISTS', key) == 0 then return -1 end
call('HSET', key, 'data', data)
return 0
