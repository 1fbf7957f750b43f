--[[
Sets or removes the global concurrency. A worker is woken if the new one has room: those that found the queue full wait for a
sign.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  jobs that may be active at once; empty: no limit
Returns  0
Events   none
BullMQ   6.7: a plain HSET or HDEL, after which idle workers notice at their next poll
--]]
local base = KEYS[1]
local concurrency = ARGV[1]
local call = redis.call
--@include "marker"
--@include "groups"

if concurrency == '' then
    call('HDEL', base .. 'meta', 'concurrency')
else
    call('HSET', base .. 'meta', 'concurrency', concurrency)
end
if call('EXISTS', base .. 'wait', base .. 'prioritized') > 0 then wake(base, read_settings(base)) end
if has_groups(base) then groups().wake(base, read_settings(base)) end
return 0
