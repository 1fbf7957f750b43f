--@include "grouped_ids"

-- Ids in a waiting list, without the marker that clients before version 5 left at its tail.
local function count_list(key)
    local length = call('LLEN', key)
    if length > 0 then
        local tail = call('LINDEX', key, -1)
        if string.sub(tail, 1, 2) == '0:' then return length - 1 end
    end
    return length
end

-- waiting (in groups too), active, completed, failed, delayed, prioritized, waiting-children. O(1).
local function count_states(base)
    return {
        count_list(base .. 'wait') + count_list(base .. 'paused') + count_grouped(base),
        call('LLEN', base .. 'active'),
        call('ZCARD', base .. 'completed'),
        call('ZCARD', base .. 'failed'),
        call('ZCARD', base .. 'delayed'),
        call('ZCARD', base .. 'prioritized'),
        call('ZCARD', base .. 'waiting-children'),
    }
end
