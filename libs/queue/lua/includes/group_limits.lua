-- Of the text `<data points of the metrics>[ <slots of a group> <its starts per window> <the window, ms>]`, where 0 stands for no
-- limit: the data points, and the limits as a table of concurrency, max and duration, numbers or nil.
local function read_limits(text)
    local points, limits = tonumber(text), {}
    if not points then
        local slots, starts, window
        points, slots, starts, window = string.match(text, '^(%d+) (%d+) (%d+) (%d+)$')
        points = tonumber(points)
        limits.concurrency = slots ~= '0' and tonumber(slots) or nil
        limits.max = starts ~= '0' and tonumber(starts) or nil
        limits.duration = window ~= '0' and tonumber(window) or nil
    end
    return points, limits
end
