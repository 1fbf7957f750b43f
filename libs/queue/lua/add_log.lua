--[[
Appends one row to a job's log and drops the oldest beyond the limit. Invariant: no log without a job.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id
ARGV[2]  text  row
ARGV[3]  int   rows to keep (0: all)
Returns  rows in the log now, or -1 no hash
Events   none
BullMQ   6.7: addLog-2
--]]
local base = KEYS[1]
local id, row, keep = ARGV[1], ARGV[2], tonumber(ARGV[3])
local call = redis.call

local key = base .. id
if call('EXISTS', key) == 0 then return -1 end
local rows = call('RPUSH', key .. ':logs', row)
if keep > 0 and rows > keep then
    call('LTRIM', key .. ':logs', -keep, -1)
    return keep
end
return rows
