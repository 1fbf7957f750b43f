--[[
Removes the descendants of a job that have neither started nor finished. Invariant: a running or failed one stays, and so does
what it waits for; the job itself runs if nothing is left that it waits for.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id
ARGV[2]  int   now, ms
Returns  number removed, or -1 no hash
Events   removed (prev=<place>) per job, on its own queue; those of the parent that stops waiting
Cost     O(size of the flow); O(n) for an id in a list
BullMQ   6.7: removeUnprocessedChildren-2
--]]
local base = KEYS[1]
local id, now = ARGV[1], tonumber(ARGV[2])
local call = redis.call
--@include "remove_job"

local removed = 0
local function remove_below(key)
    for _, child in ipairs(call('SMEMBERS', key .. ':dependencies')) do
        local child_base, child_id = split_job_key(child)
        if call('EXISTS', child .. ':lock') == 0 and not call('ZSCORE', child_base .. 'failed', child_id) then
            remove_below(child)
            unlink_child(child, key, now)
            if remove_alone(child_base, child_id, call('HGET', child, 'deid')) then removed = removed + 1 end
        end
    end
end

local key = base .. id
if call('EXISTS', key) == 0 then return -1 end
remove_below(key)
return removed
