--[[
Ids that wait, in the order in which they will run or the reverse, over the lists `wait` and `paused` (version 5).

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  int   first index (negative: from the end)
ARGV[2]  int   last index, inclusive
ARGV[3]  text  "1": next to run first
Returns  the ids
Events   none
Cost     O(distance of the page from an end)
BullMQ   6.7: getRanges-1
--]]
local base = KEYS[1]
local first, last, is_ascending = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1'
local call = redis.call

-- Both lists as one row, `wait` then `paused`, with the next to run at its right end: what is in `paused` runs first after a
-- resume. Positions count from the left.
local waiting = call('LLEN', base .. 'wait')
local total = waiting + call('LLEN', base .. 'paused')
if first < 0 then first = math.max(total + first, 0) end
if last < 0 then last = total + last end
last = math.min(last, total - 1)
if first > last then return {} end
local from, to = first, last
if is_ascending then from, to = total - 1 - last, total - 1 - first end

local row = {}
if from < waiting then row = call('LRANGE', base .. 'wait', from, math.min(to, waiting - 1)) end
if to >= waiting then
    for _, id in ipairs(call('LRANGE', base .. 'paused', math.max(from - waiting, 0), to - waiting)) do row[#row + 1] = id end
end
if not is_ascending then return row end
local page = {}
for i = #row, 1, -1 do page[#page + 1] = row[i] end
return page
