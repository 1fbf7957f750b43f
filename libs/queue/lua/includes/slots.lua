-- When a scheduler with an interval is due next. previous: its last time, or nil; offset: ms inside the interval (0: not known
-- yet); start: not before this time, or nil. All in ms.
-- Returns the time and the offset.
local function next_slot(previous, every, now, offset, start)
    local at
    if previous then
        at = previous + every
        if at < now then -- fell behind: what was missed is not made up for
            local slot = math.floor(now / every) * every + offset
            at = slot > now and slot or slot + every
        end
    elseif start then
        at = math.max(start, now)
    elseif offset > 0 then
        at = math.floor(now / every) * every + offset
        if at <= now then at = at + every end
    else
        at = now
    end
    if offset == 0 then offset = at % every end
    return at, offset
end
