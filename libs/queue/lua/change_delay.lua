--[[
Moves a delayed job to another time. Invariant: it stays delayed, and its delay field says the new distance.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id
ARGV[2]  int   now, ms
ARGV[3]  int   ms from now
Returns  0, -1 no hash, -3 not delayed
Events   delayed
Cost     O(log n)
BullMQ   6.7: changeDelay-4
--]]
local base = KEYS[1]
local id, now, delay = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local call = redis.call
--@include "marker"
--@include "places"

local key = base .. id
if call('EXISTS', key) == 0 then return -1 end
if not call('ZSCORE', base .. 'delayed', id) then return -3 end
local max_events = events_length(base, read_settings(base))
call('HSET', key, 'delay', delay)
push_delayed(base, id, now + delay, max_events)
wake_at_next_delayed(base)
return 0
