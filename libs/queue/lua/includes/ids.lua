--@include "grouped_ids"

-- Number of ids at the positions that ids_of() knows. O(1).
local function length_of(base, state)
    if state == 'waiting' then
        return call('LLEN', base .. 'wait') + call('LLEN', base .. 'paused') + count_grouped(base)
    end
    if state == 'active' then return call('LLEN', base .. 'active') end
    return call('ZCARD', base .. state)
end

-- A list that has the next to run at its right end, read from there. O(distance from an end).
local function from_the_right(key, length, first, last)
    local row, page = call('LRANGE', key, length - 1 - last, length - 1 - first), {}
    for i = #row, 1, -1 do page[#page + 1] = row[i] end
    return page
end

local function append(page, ids)
    for _, id in ipairs(ids) do page[#page + 1] = id end
end

-- The next to run first: what is in `paused` runs first after a resume, jobs of groups come after those without.
local function waiting_ids(base, first, last)
    local paused, waiting, page = call('LLEN', base .. 'paused'), call('LLEN', base .. 'wait'), {}
    if first < paused then page = from_the_right(base .. 'paused', paused, first, math.min(last, paused - 1)) end
    local from, to = math.max(first - paused, 0), last - paused
    if to >= 0 and from < waiting then
        append(page, from_the_right(base .. 'wait', waiting, from, math.min(to, waiting - 1)))
    end
    from, to = math.max(from - waiting, 0), to - waiting
    if to >= 0 then append(page, (grouped_ids(base, from, to))) end
    return page
end

-- Ids of a state at the positions first … last, both from 0 and inside. Ascending: the next to run, the longest active or the
-- oldest first. O(distance of the page from an end); beyond the waiting lists O(groups + page).
local function ids_of(base, state, first, last, is_ascending)
    if state ~= 'waiting' and state ~= 'active' then
        return call(is_ascending and 'ZRANGE' or 'ZREVRANGE', base .. state, first, last)
    end
    local total = length_of(base, state)
    if not is_ascending then first, last = total - 1 - last, total - 1 - first end
    local page = state == 'active' and from_the_right(base .. 'active', total, first, last)
        or waiting_ids(base, first, last)
    if is_ascending then return page end
    local reversed = {}
    for i = #page, 1, -1 do reversed[#reversed + 1] = page[i] end
    return reversed
end
