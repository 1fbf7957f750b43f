--@include "settings"

-- Wakes one blocked worker, unless it could not take a job anyway.
local function wake(base, settings)
    if not is_closed(base, settings) then call('ZADD', base .. 'marker', '0', '0') end
end

-- Tells one blocked worker when the earliest delayed job is due. The quotient keeps its fraction, as other clients write it.
local function wake_at_next_delayed(base)
    local first = call('ZRANGE', base .. 'delayed', '0', '0', 'WITHSCORES')
    if first[2] then call('ZADD', base .. 'marker', first[2] / 4096, '1') end
end
