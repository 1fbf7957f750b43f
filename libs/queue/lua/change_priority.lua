--[[
Changes a job's priority. A job that waits moves to its new place; any other keeps the number for when it waits again.
A member of a group keeps to its group,
and the priority is the one inside it. Invariant: the id is in one place before and after.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id
ARGV[2]  int   priority, 0 … 2097151
ARGV[3]  text  "1": before the others of that priority, "0": behind them
Returns  0, -1 no hash
Events   none
Cost     O(log n), or O(length of `wait`) for a job that waits there
BullMQ   6.7: changePriority-7
--]]
local base = KEYS[1]
local id, priority, is_lifo = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
local call = redis.call
--@include "ready"

local key = base .. id
if call('EXISTS', key) == 0 then return -1 end
local group = call('HGET', key, 'gid')
if group then
    if groups().pull(base, group, id) then
        groups().push(base, group, id, priority, is_lifo)
        wake_ready(base, read_settings(base))
    end
    call('HSET', key, 'gpr', priority)
    return 0
end
local is_waiting = call('ZREM', base .. 'prioritized', id) == 1 or call('LREM', base .. 'wait', -1, id) > 0
    or call('LREM', base .. 'paused', -1, id) > 0
if is_waiting then
    if priority == 0 then
        call(is_lifo and 'RPUSH' or 'LPUSH', base .. 'wait', id)
    elseif is_lifo then
        call('ZADD', base .. 'prioritized', priority * 4294967296, id)
    else
        push_prioritized(base, id, priority)
    end
    wake(base, read_settings(base))
end
call('HSET', key, 'priority', priority)
return 0
