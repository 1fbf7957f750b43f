--[[
Ends a scheduler. Invariant: its pending job goes with it if it is still delayed; one that already waits or runs is left alone.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  scheduler id
Returns  1 removed, 0 there is no such scheduler
Events   removed (prev=delayed)
Cost     O(log n)
BullMQ   6.7: removeJobScheduler-3
--]]
local base = KEYS[1]
local scheduler = ARGV[1]
local call = redis.call
--@include "job_keys"

local schedulers = base .. 'repeat'
local at = call('ZSCORE', schedulers, scheduler)
if at then
    local pending = string.format('repeat:%s:%.0f', scheduler, at)
    if call('ZREM', base .. 'delayed', pending) == 1 then
        local keys = {}
        append_job_keys(keys, base .. pending)
        delete_keys(keys)
        call('XADD', base .. 'events', '*', 'event', 'removed', 'jobId', pending, 'prev', 'delayed')
    end
    call('ZREM', schedulers, scheduler)
end
-- A record without a place in the set is a left-over.
local existed = call('DEL', schedulers .. ':' .. scheduler) == 1
return (at or existed) and 1 or 0
