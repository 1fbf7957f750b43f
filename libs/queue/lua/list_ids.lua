--[[
Ids of a state. Those that wait are listed in the order in which they will run, or the reverse, over the lists `wait` and
`paused` (version 5), and then over the groups.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  int   first index (negative: from the end)
ARGV[2]  int   last index, inclusive
ARGV[3]  text  "1": next to run, longest active or oldest first
ARGV[4]  text  state; without one: waiting
Returns  the ids
Events   none
Cost     O(distance of the page from an end)
BullMQ   6.7: getRanges-1
--]]
local base = KEYS[1]
local first, last, is_ascending, state = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1', ARGV[4] or 'waiting'
local call = redis.call
--@include "ids"

local total = length_of(base, state)
if first < 0 then first = math.max(total + first, 0) end
if last < 0 then last = total + last end
last = math.min(last, total - 1)
if first > last then return {} end
return ids_of(base, state, first, last, is_ascending)
