--[[
Whether a job has finished, and with what.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id
Returns  [ code, value ]: -1 no hash; 0 not finished; 1 completed, return value (JSON); 2 failed, reason
Events   none
BullMQ   6.7: isFinished-3
--]]
local base = KEYS[1]
local id = ARGV[1]
local call = redis.call

local key = base .. id
if call('EXISTS', key) == 0 then return { -1, '' } end
if call('ZSCORE', base .. 'completed', id) then return { 1, call('HGET', key, 'returnvalue') or 'null' } end
if call('ZSCORE', base .. 'failed', id) then return { 2, call('HGET', key, 'failedReason') or '' } end
return { 0, '' }
