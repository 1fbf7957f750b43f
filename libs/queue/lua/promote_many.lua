--[[
Lets delayed jobs run now, the earliest first, at most so many per call. Invariants: each goes where its group or priority says, and its
delay is 0 afterwards; an id without a job is dropped.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  int   jobs to move at most, 1 … 10000
Returns  number of ids that left `delayed`
Events   waiting (prev=delayed) per job
Cost     O(log n) per job
BullMQ   6.7: moveJobsToWait-8
--]]
local base = KEYS[1]
local most = tonumber(ARGV[1])
local call = redis.call
--@include "ready"

local ids = call('ZRANGE', base .. 'delayed', 0, most - 1)
if #ids == 0 then return 0 end
for from = 1, #ids, 6000 do call('ZREM', base .. 'delayed', unpack(ids, from, math.min(from + 5999, #ids))) end
local settings = read_settings(base)
local max_events = events_length(base, settings)
for _, id in ipairs(ids) do
    local key = base .. id
    local job = call('HMGET', key, 'name', 'priority', 'gid', 'gpr')
    if job[1] then
        push_ready(base, id, { priority = tonumber(job[2]) or 0, group = job[3], group_priority = job[4] })
        call('HSET', key, 'delay', 0)
        call('XADD', base .. 'events', 'MAXLEN', '~', max_events, '*', 'event', 'waiting', 'jobId', id, 'prev', 'delayed')
    end
end
wake_ready(base, settings)
return #ids
