--[[
Puts finished jobs back to waiting, the oldest first, at most so many per call: repeat the call while it moves as many as asked
for. Invariant: as for one job (retry.lua); an id without a job is dropped.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  completed or failed
ARGV[2]  int   jobs to move at most, 1 … 10000
ARGV[3]  int   only jobs that finished by then, ms
Returns  number of ids that left the state
Events   waiting (prev=<state>) per job
Cost     O(log n) per job
BullMQ   6.7: moveJobsToWait-8
--]]
local base = KEYS[1]
local state, most, newest = ARGV[1], ARGV[2], ARGV[3]
local call = redis.call
--@include "put_back"

local ids = call('ZRANGEBYSCORE', base .. state, '-inf', newest, 'LIMIT', 0, most)
if #ids == 0 then return 0 end
for from = 1, #ids, 6000 do call('ZREM', base .. state, unpack(ids, from, math.min(from + 5999, #ids))) end
local settings = read_settings(base)
local max_events = events_length(base, settings)
for _, id in ipairs(ids) do put_back_finished(base, id, state, {}, false, max_events) end
wake_ready(base, settings)
return #ids
