--@include "marker"
--@include "places"
--@include "groups"

-- Stores one job that this server itself decides to create, and puts it where delay, priority and lifo say.
-- job.group: id and priority, if it belongs to one. extra: further field/value pairs (parentKey, parent, rjk, deid). Job hashes have no id field: the place holds the id.
-- Events: added, then delayed or waiting.
local function store_and_enqueue(base, settings, id, job, extra)
    local key = base .. id
    local max_events = events_length(base, settings)
    call('HSET', key, 'name', job.name, 'data', job.data, 'opts', job.opts, 'timestamp', job.timestamp,
         'delay', job.delay, 'priority', job.priority, unpack(extra))
    call('XADD', base .. 'events', '*', 'event', 'added', 'jobId', id, 'name', job.name)
    if job.group then
        call('HSET', key, 'gid', job.group.id, 'gpr', job.group.priority or 0)
        call('INCR', base .. 'groups:turn')
    end
    if job.delay > 0 then
        push_delayed(base, id, job.timestamp + job.delay, max_events)
        wake_at_next_delayed(base)
        return
    end
    if job.group then
        groups().push(base, job.group.id, id, job.group.priority, job.lifo)
        groups().wake(base, settings)
    elseif job.priority ~= 0 then
        push_prioritized(base, id, job.priority)
    else
        call(job.lifo and 'RPUSH' or 'LPUSH', base .. 'wait', id)
    end
    call('XADD', base .. 'events', 'MAXLEN', '~', max_events, '*', 'event', 'waiting', 'jobId', id)
    wake(base, settings)
end
