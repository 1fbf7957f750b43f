--[[
Removes jobs that wait, at most so many per call: repeat the call while it removes as many as asked for. Invariants: active and
finished jobs stay; the pending job of a scheduler stays where it is, since the scheduler lives by it; what is removed leaves no
key behind, and no parent waits for it.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  int   now, ms
ARGV[2]  int   jobs to remove at most, 1 … 10000
ARGV[3]  text  "1": delayed jobs too
Returns  number removed
Events   none here; those of a parent on another queue that runs
Cost     O(jobs removed + schedulers)
BullMQ   6.7: drain-5
--]]
local base = KEYS[1]
local now, most, with_delayed = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1'
local call = redis.call
--@include "drop"

local pending, pending_count = pending_iterations(base)
local removed = 0

-- Removes from `ids`, in order, until enough are; the ids that leave and those before the last of them that stay.
local function split(ids)
    local leave, stay, seen = {}, {}, 0
    for _, id in ipairs(ids) do
        if removed == most then break end
        seen = seen + 1
        if pending[id] then
            stay[#stay + 1] = id
        else
            leave[#leave + 1] = id
            drop(base, id, now)
            removed = removed + 1
        end
    end
    return leave, stay, seen
end

-- A portion is taken with room for every pending job, so that these never hide the rest.
for _, place in ipairs({ 'wait', 'paused' }) do
    if removed < most then
        local key = base .. place
        local _, stay, seen = split(call('LRANGE', key, 0, most - removed + pending_count - 1))
        if seen > 0 then
            call('LTRIM', key, seen, -1)
            for i = #stay, 1, -1 do call('LPUSH', key, stay[i]) end
        end
    end
end
for _, place in ipairs(with_delayed and { 'prioritized', 'delayed' } or { 'prioritized' }) do
    if removed < most then
        local key = base .. place
        local leave = split(call('ZRANGE', key, 0, most - removed + pending_count - 1))
        in_portions('ZREM', key, leave)
    end
end
each_grouped(base, function(group, id)
    if removed == most then return false end
    groups().pull(base, group, id)
    drop(base, id, now)
    removed = removed + 1
    return true
end)
return removed
