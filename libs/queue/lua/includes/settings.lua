-- The queue's own settings, read in one call by everything that puts a job somewhere.
-- paused, max_events: text or false; concurrency, max, duration: number or nil.
local function read_settings(base)
    local m = call('HMGET', base .. 'meta', 'paused', 'concurrency', 'opts.maxLenEvents', 'max', 'duration')
    return {
        paused = m[1],
        concurrency = tonumber(m[2]),
        max_events = m[3],
        max = tonumber(m[4]),
        duration = tonumber(m[5]),
    }
end

-- Target length of the events stream. Stores the default when no producer has said one, so that all clients trim alike.
local function events_length(base, settings)
    if not settings.max_events then
        settings.max_events = '10000'
        call('HSET', base .. 'meta', 'opts.maxLenEvents', settings.max_events)
    end
    return settings.max_events
end

-- True while no job may be started: the queue is paused, or its global concurrency is used up.
local function is_closed(base, settings)
    if settings.paused then return true end
    return settings.concurrency ~= nil and call('LLEN', base .. 'active') >= settings.concurrency
end
