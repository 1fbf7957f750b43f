-- Counts `added` more jobs that ended in `target` at `now`, with one data point per minute, newest first, at most `points`.
-- A minute in which nothing ended is a zero. O(1), or O(minutes since the last job).
local function count_finished(base, target, added, points, now)
    local key = base .. 'metrics:' .. target
    local before = call('HINCRBY', key, 'count', added) - added
    local last = call('HMGET', key, 'prevTS', 'prevCount')
    if not last[1] then
        call('HSET', key, 'prevTS', now, 'prevCount', 0)
        return
    end
    local minutes = math.min(math.floor(now / 60000) - math.floor(last[1] / 60000), points)
    if minutes <= 0 then return end
    local list = key .. ':data'
    call('LPUSH', list, before - (tonumber(last[2]) or 0))
    for _ = 2, minutes do call('LPUSH', list, 0) end
    call('LTRIM', list, 0, points - 1)
    call('HSET', key, 'prevCount', before, 'prevTS', now)
end
