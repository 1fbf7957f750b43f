-- Number of ids at the positions that ids_of() knows. O(1).
local function length_of(base, state)
    if state == 'waiting' then return call('LLEN', base .. 'wait') + call('LLEN', base .. 'paused') end
    if state == 'active' then return call('LLEN', base .. 'active') end
    return call('ZCARD', base .. state)
end

-- Ids of a state at the positions first … last, both from 0 and inside. Ascending: the next to run, the longest active or the
-- oldest first. O(distance of the page from an end).
local function ids_of(base, state, first, last, is_ascending)
    if state ~= 'waiting' and state ~= 'active' then
        return call(is_ascending and 'ZRANGE' or 'ZREVRANGE', base .. state, first, last)
    end
    -- Both waiting lists as one row, `wait` then `paused`, with the next to run at its right end: what is in `paused` runs first
    -- after a resume. Positions count from the left.
    local from, to = first, last
    if is_ascending then
        local total = length_of(base, state)
        from, to = total - 1 - last, total - 1 - first
    end
    local row = {}
    if state == 'active' then
        row = call('LRANGE', base .. 'active', from, to)
    else
        local waiting = call('LLEN', base .. 'wait')
        if from < waiting then row = call('LRANGE', base .. 'wait', from, math.min(to, waiting - 1)) end
        if to >= waiting then
            for _, id in ipairs(call('LRANGE', base .. 'paused', math.max(from - waiting, 0), to - waiting)) do
                row[#row + 1] = id
            end
        end
    end
    if not is_ascending then return row end
    local page = {}
    for i = #row, 1, -1 do page[#page + 1] = row[i] end
    return page
end
