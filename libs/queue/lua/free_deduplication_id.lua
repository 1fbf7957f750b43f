--[[
Frees a deduplication id if the given job owns it. Invariant: an id that another job owns meanwhile stays.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id of the job
Returns  1 freed, 0 the job has none or another owns it, -1 no hash
Events   none
BullMQ   6.7: removeDeduplicationKey-1
--]]
local base = KEYS[1]
local id = ARGV[1]
local call = redis.call

if call('EXISTS', base .. id) == 0 then return -1 end
local deduplication_id = call('HGET', base .. id, 'deid')
if not deduplication_id then return 0 end
local key = base .. 'de:' .. deduplication_id
if call('GET', key) ~= id then return 0 end
return call('DEL', key)
