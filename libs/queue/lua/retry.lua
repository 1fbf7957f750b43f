--[[
Puts a finished job back to waiting. If it is a child, its parent counts it as pending again; the parent itself stays where it
is. Invariant: the outcome of the earlier run is gone from the hash and from the parent.

KEYS[1]   text  key base `<prefix>:<queue>:`
ARGV[1]   text  id
ARGV[2]   text  completed or failed: where it is
ARGV[3…]  text  counters to forget: atm (attempts made), ats (attempts started)
Returns   0, -1 no hash, -3 not in that state
Events    waiting (prev=<state>)
Cost      O(log n)
BullMQ    6.7: reprocessJob-9
--]]
local base = KEYS[1]
local id, state = ARGV[1], ARGV[2]
local words = ARGV
local call = redis.call
--@include "put_back"

if call('EXISTS', base .. id) == 0 then return -1 end
if call('ZREM', base .. state, id) == 0 then return -3 end
local settings = read_settings(base)
put_back_finished(base, id, state, { unpack(words, 3) }, true, events_length(base, settings))
wake_ready(base, settings)
return 0
