-- Number of jobs that wait in groups. O(1).
local function count_grouped(base)
    return tonumber(call('GET', base .. 'groups:waiting')) or 0
end

-- Ids that wait in groups at the positions first … last, from 0: group by group, inside a group the next to run first; and the group
-- of each. O(groups + ids).
local function grouped_ids(base, first, last)
    local ids, group_of, seen = {}, {}, 0
    for _, place in ipairs({ 'groups', 'groups:limited', 'groups:maxed', 'groups:paused' }) do
        for _, group in ipairs(call('ZRANGE', base .. place, 0, -1)) do
            if seen > last then return ids, group_of end
            local key = base .. 'group:' .. group .. ':wait'
            local size = call('ZCARD', key)
            if seen + size > first then
                for _, id in ipairs(call('ZRANGE', key, math.max(first - seen, 0), last - seen)) do
                    ids[#ids + 1] = id
                    group_of[#ids] = group
                end
            end
            seen = seen + size
        end
    end
    return ids, group_of
end
