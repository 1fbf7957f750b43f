--[[
Removes old jobs of one place, at most so many and looking at no more than 10,000 per call. Invariants: a job that runs (has a
lock) and the pending job of a scheduler stay; what is removed leaves no key behind, and no parent waits for it.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  int   now, ms
ARGV[2]  text  place: completed, failed, wait, paused, active, delayed, prioritized, groups (jobs that wait in one)
ARGV[3]  int   newest time that is old, ms: compared with when the job finished, else started, else was created
ARGV[4]  int   jobs to remove at most, 1 … 10000
ARGV[5]  int   position to go on at (0: the beginning)
Returns  [ position for the next call, -1: the end is reached; the ids removed, … ]
Events   cleaned (count), unless a later call removes nothing; those of a parent on another queue that runs
Cost     O(jobs looked at + schedulers); O(n) for a place that is a list; O(groups) more for groups
BullMQ   6.7: cleanJobsInSet-3
--]]
local base = KEYS[1]
local now, place, newest = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3])
local most, position = tonumber(ARGV[4]), tonumber(ARGV[5])
local call = redis.call
--@include "drop"
--@include "grouped_ids"

local MOST_LOOKED_AT = 10000
local key = base .. place
local is_finished = place == 'completed' or place == 'failed'
local is_list = place == 'wait' or place == 'paused' or place == 'active'
local pending = is_finished and {} or pending_iterations(base)

local TIMES = {
    wait = { 'finishedOn', 'processedOn', 'timestamp' }, paused = { 'finishedOn', 'processedOn', 'timestamp' },
    active = { 'finishedOn', 'processedOn', 'timestamp' }, delayed = { 'processedOn', 'timestamp' },
    prioritized = { 'timestamp' }, groups = { 'processedOn', 'timestamp' },
}
local function is_old(id)
    if is_finished then return true end -- by its score
    if pending[id] then return false end
    if place == 'active' and call('EXISTS', base .. id .. ':lock') == 1 then return false end
    local times = call('HMGET', base .. id, unpack(TIMES[place]))
    for i = 1, #TIMES[place] do
        if times[i] then return (tonumber(times[i]) or 0) <= newest end
    end
    return true
end

-- The next to run is at the right end of a list: positions count from there.
local ids, group_of = {}, {}
if is_finished then
    ids = call('ZRANGEBYSCORE', key, '-inf', newest, 'LIMIT', 0, most)
elseif is_list then
    local window = call('LRANGE', key, -(position + MOST_LOOKED_AT), -(position + 1))
    for i = #window, 1, -1 do ids[#ids + 1] = window[i] end
elseif place == 'groups' then
    ids, group_of = grouped_ids(base, position, position + MOST_LOOKED_AT - 1)
else
    ids = call('ZRANGE', key, position, position + MOST_LOOKED_AT - 1)
end

local removed, looked_at = {}, 0
for _, id in ipairs(ids) do
    if #removed == most then break end
    looked_at = looked_at + 1
    if is_old(id) then
        removed[#removed + 1] = id
        if is_list then call('LSET', key, -(position + looked_at), '') end
        if group_of[looked_at] then groups().pull(base, group_of[looked_at], id) end
        drop(base, id, now)
    end
end
if #removed > 0 then
    if is_list then
        call('LREM', key, 0, '')
    elseif place ~= 'groups' then
        in_portions('ZREM', key, removed)
    end
end
if #removed > 0 or position == 0 then call('XADD', base .. 'events', '*', 'event', 'cleaned', 'count', #removed) end

local is_end = looked_at == #ids and (is_finished and #ids < most or not is_finished and #ids < MOST_LOOKED_AT)
local reply = { is_end and -1 or position + looked_at - #removed }
for i, id in ipairs(removed) do reply[i + 1] = id end
return reply
