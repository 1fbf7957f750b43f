--[[
Removes one job, with its children wherever they are if that is asked for, children first. Invariants: a job with a lock is
never removed, and then nothing is; a parent elsewhere stops waiting for what is removed; the pending job of a scheduler stays,
since the scheduler lives by it.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id
ARGV[2]  int   now, ms
ARGV[3]  text  "0": without its children, which keep their link to a parent that is gone
Returns  1 removed, 0 it or a child is running, -1 there is no such job, -8 the pending job of a scheduler
Events   removed (prev=<place>) per job, on its own queue
Cost     O(size of the flow); O(n) for an id in a list
BullMQ   6.7: removeJob-2
--]]
local base = KEYS[1]
local id, now, with_children = ARGV[1], tonumber(ARGV[2]), ARGV[3] ~= '0'
local call = redis.call
--@include "remove_job"

local key = base .. id
local job = call('HMGET', key, 'rjk', 'parentKey', 'deid')
if job[1] then
    local pending = call('ZSCORE', base .. 'repeat', job[1])
    if pending and 'repeat:' .. job[1] .. ':' .. pending == id then return -8 end
end
if is_running(key, with_children) then return 0 end
-- An id with colons (a scheduler's) cannot be told from its key; it has no children either.
if with_children and not string.find(id, ':', 1, true) then return remove_with_children(key, now) and 1 or -1 end
if job[2] then unlink_child(key, job[2], now) end
return remove_alone(base, id, job[3]) and 1 or -1
