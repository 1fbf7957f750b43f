--[[
Ends a pause. Ids that a version 5 client left in `paused` become the next in line; nothing is renamed onto a list that exists,
so none is lost. Up to 7000 ids move per call: repeat the call until it says 0.

KEYS[1]  text  key base `<prefix>:<queue>:`
Returns  0 done, 1 call again
Events   resumed, once, by the last call
BullMQ   6.7: pause-7
--]]
local base = KEYS[1]
local call = redis.call
--@include "marker"
--@include "groups"

local wait, paused = base .. 'wait', base .. 'paused'
call('HDEL', base .. 'meta', 'paused')
if call('EXISTS', paused) == 1 then
    if call('EXISTS', wait) == 0 then
        call('RENAME', paused, wait)
    else
        local ids = call('LRANGE', paused, 0, 6999)
        call('RPUSH', wait, unpack(ids))
        call('LTRIM', paused, #ids, -1)
        if call('EXISTS', paused) == 1 then return 1 end
    end
end
if call('EXISTS', wait) == 1 or call('EXISTS', base .. 'prioritized') == 1 then
    call('ZADD', base .. 'marker', 0, '0')
else
    wake_at_next_delayed(base)
end
if has_groups(base) then groups().wake(base, read_settings(base)) end
call('XADD', base .. 'events', '*', 'event', 'resumed')
return 0
