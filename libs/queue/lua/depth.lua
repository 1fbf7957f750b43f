--[[
The two gauges that scale workers, and the counts they come from, at one moment. Uses the server's clock, so that the clock of
whoever asks does not matter; it writes nothing.
  backlog    what could run now: wait + paused + prioritized + waiting jobs of groups + delayed jobs that are due (only a running worker
             promotes them, so without workers they would never be seen otherwise)
  effective  slots needed now: active + backlog, where the backlog counts 0 while the queue is paused, no job of a group that is
             paused, limited or has all its slots in use, and no more than what the global concurrency lets in

KEYS[1]  text  key base `<prefix>:<queue>:`
Returns  [ backlog, effective, paused (0, 1), age of the next waiting job in ms (0: none), the counts as counts.lua ]
Events   none
Cost     O(log n + groups that are held up, the first 1,000 of a kind)
BullMQ   no counterpart
--]]
local base = KEYS[1]
local call = redis.call
--@include "settings"
--@include "counts"

local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local settings = read_settings(base)
local counts = count_states(base)
local waiting, active, prioritized = counts[1], counts[2], counts[6]
local due = call('ZCOUNT', base .. 'delayed', '-inf', (now + 1) * 4096 - 1)
local backlog = waiting + prioritized + due
local next_group = call('ZRANGE', base .. 'groups', 0, 0)[1]

-- Waiting jobs of groups that cannot give one. While nothing is active no slot of a group is in use, whatever its account says.
local function held_up()
    local groups = {
        call('ZRANGE', base .. 'groups:paused', 0, 999),
        call('ZRANGEBYSCORE', base .. 'groups:limited', '(' .. now, '+inf', 'LIMIT', 0, 1000),
        active > 0 and call('ZRANGE', base .. 'groups:maxed', 0, 999) or {},
    }
    local sum = 0
    for _, place in ipairs(groups) do
        for _, group in ipairs(place) do sum = sum + call('ZCARD', base .. 'group:' .. group .. ':wait') end
    end
    return sum
end

local admitted = backlog
if count_grouped(base) > 0 then admitted = math.max(0, backlog - held_up()) end
if settings.paused then
    admitted = 0
elseif settings.concurrency then
    admitted = math.min(admitted, math.max(0, settings.concurrency - active))
end

local next_id = call('LINDEX', base .. 'paused', -1) or call('LINDEX', base .. 'wait', -1)
    or call('ZRANGE', base .. 'prioritized', 0, 0)[1]
    or next_group and call('ZRANGE', base .. 'group:' .. next_group .. ':wait', 0, 0)[1]
local age = 0
if next_id then
    local added = tonumber(call('HGET', base .. next_id, 'timestamp'))
    if added then age = math.max(0, now - added) end
end
return { backlog, admitted + active, settings.paused and 1 or 0, age, counts }
