--[[
An active job waits for children that were added while it ran. Invariants: only the owner of its lock moves it; a job that is
refused is left as it was; it starts again when its children are done (includes/parents.lua).

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  int   now, ms
ARGV[2]  text  id
ARGV[3]  text  token ("0": no lock)
ARGV[4]  text  full job key of the child to wait for; empty: all of them
Returns  0 it waits, 1 there is nothing to wait for and it stays active,
         -1 no hash, -2 no lock, -3 not active, -6 lock of another, -9 failed children
Events   waiting-children (prev=active)
Cost     O(log n + length of `active`)
BullMQ   6.7: moveToWaitingChildren-7
--]]
local base = KEYS[1]
local now, id, token, child = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local call = redis.call
--@include "marker"
--@include "groups"

local key = base .. id
if call('EXISTS', key) == 0 then return -1 end
if call('ZCARD', key .. ':unsuccessful') > 0 then return -9 end
if child ~= '' then
    if call('SISMEMBER', key .. ':dependencies', child) == 0 then return 1 end
elseif call('SCARD', key .. ':dependencies') == 0 then
    return 1
end
local owner = call('GET', key .. ':lock')
if token ~= '0' and owner ~= token then return owner and -6 or -2 end
if call('LREM', base .. 'active', -1, id) == 0 then return -3 end
if token ~= '0' then
    call('DEL', key .. ':lock')
    call('SREM', base .. 'stalled', id)
end
call('ZADD', base .. 'waiting-children', now, id)
call('XADD', base .. 'events', '*', 'event', 'waiting-children', 'jobId', id, 'prev', 'active')
if has_groups(base) then groups().leave(base, id) end
-- A slot of the global concurrency became free, and nobody here takes it.
local settings = read_settings(base)
if settings.concurrency then
    if call('LLEN', base .. 'wait') > 0 or call('ZCARD', base .. 'prioritized') > 0 then wake(base, settings) end
    groups().wake(base, settings)
end
return 0
