--@include "marker"
--@include "groups"
--@include "portions"

-- The steps of jobs with a deduplication id, a parent or a delay. They are made when the first such job comes, since making
-- functions that nobody calls would cost a call with one plain job a quarter of its time.
local related
local function related_steps()
    if related then return related end
--@include "places"
--@include "deduplicate"
--@include "parents"
    related = {
        push_delayed = push_delayed, deduplicate = deduplicate,
        release_parent_without_pending = release_parent_without_pending,
    }
    return related
end

-- What one call adds to one queue: the pushes are gathered and done together at the end (finish_batch).
-- count: numbers to take from the queue's counter, one per job, also for custom ids, so that all clients go on sharing it.
local function new_batch(base, count)
    local settings = read_settings(base)
    return {
        base = base, settings = settings, max_events = events_length(base, settings), events = base .. 'events',
        number = call('INCRBY', base .. 'id', count) - count,
        digits = count > 4 and { '1', '2', '3', '4', '5', '6', '7', '8', '9', [0] = '0' },
        left = {}, right = {}, prioritized = {}, any_delayed = false,
    }
end

-- The next number of the batch as text. Many numbers are made from what they have in common, since printing one is slow.
local function next_number(batch)
    local number, digits = batch.number + 1, batch.digits
    batch.number = number
    if not digits then return string.format('%.0f', number) end
    local digit = number % 10
    if batch.tens ~= number - digit then
        batch.tens = number - digit
        batch.tens_text = batch.tens > 0 and string.format('%.0f', batch.tens / 10) or ''
    end
    return batch.tens_text .. digits[digit]
end

-- Puts what was gathered where it waits, and wakes a worker.
local function finish_batch(batch)
    local base, left, right, prioritized = batch.base, batch.left, batch.right, batch.prioritized
    -- The two ends of a list do not meet, so all pushes to one end may go together.
    in_portions('LPUSH', base .. 'wait', left)
    in_portions('RPUSH', base .. 'wait', right)
    if #prioritized > 0 then
        local order = call('INCRBY', base .. 'pc', #prioritized / 2) - #prioritized / 2
        for i = 1, #prioritized, 2 do
            prioritized[i] = prioritized[i] * 4294967296 + (order + (i + 1) / 2) % 4294967296
        end
        in_portions('ZADD', base .. 'prioritized', prioritized)
    end
    if #left + #right + #prioritized > 0 then wake(base, batch.settings) end
    if batch.any_delayed then wake_at_next_delayed(base) end
    if batch.any_grouped then groups().wake(base, batch.settings) end
    batch.any_grouped = false
    batch.left, batch.right, batch.prioritized, batch.any_delayed = {}, {}, {}, false
end

-- An id that exists is never written again. With a parent, the existing job becomes its child; one that has completed hands its
-- value over at once. The id, or -7: it has another parent already.
local function add_duplicate(batch, id, timestamp, extra, is_released_later)
    local base = batch.base
    local key = base .. id
    local parent_key = extra and extra.parentKey
    if parent_key then
        local existing = call('HGET', key, 'parentKey')
        if existing and existing ~= parent_key and call('EXISTS', existing) == 1 then return -7 end
        if call('ZSCORE', base .. 'completed', id) then
            call('HSET', parent_key .. ':processed', key, call('HGET', key, 'returnvalue') or 'null')
            if not is_released_later then
                finish_batch(batch)
                related_steps().release_parent_without_pending(parent_key, tonumber(timestamp))
            end
        else
            call('SADD', parent_key .. ':dependencies', key)
        end
        call('HSET', key, 'parentKey', parent_key, 'parent', extra.parent)
    end
    return id
end

-- Adds one job; its id, or -7, or -12: its group is full (nothing of it is written then).
-- id: empty for the next number. side: 'L', 'R' (lifo), or JSON text for what few jobs have: lifo, de (see deduplicate), parentKey
-- and parent (text of the hash field), waitsForChildren, group (id, priority, maxSize: waiting jobs of the group at most). is_last: trims the stream. is_released_later: the caller looks after the
-- parent itself.
-- Events: added, then waiting, delayed or waiting-children; duplicated for an existing id; those of deduplicate.
local function add_job(batch, id, name, data, opts, timestamp, delay, priority, side, is_last, is_released_later)
    local base, events = batch.base, batch.events
    local is_custom = id ~= ''
    if is_custom then batch.number = batch.number + 1 else id = next_number(batch) end
    local key = base .. id
    local extra = #side > 1 and cjson.decode(side) or nil
    local event
    if is_custom and call('EXISTS', key) == 1 then
        if add_duplicate(batch, id, timestamp, extra, is_released_later) == -7 then return -7 end
        event = 'duplicated'
    else
        local is_lifo = side == 'R'
        local parent_key, waits
        if extra then
            is_lifo, parent_key, waits = extra.lifo, extra.parentKey, extra.waitsForChildren
            local most = extra.group and extra.group.maxSize
            if most and call('ZCARD', groups().key(base, extra.group.id, 'wait')) >= most then return -12 end
            if extra.de then
                local job = { id = id, name = name, data = data, opts = opts, timestamp = timestamp, delay = delay }
                local owner = related_steps().deduplicate(base, batch.max_events, extra.de, job)
                if owner then return owner end
            end
        end
        call('HSET', key, 'name', name, 'data', data, 'opts', opts, 'timestamp', timestamp, 'delay', delay,
             'priority', priority)
        if parent_key then call('HSET', key, 'parentKey', parent_key, 'parent', extra.parent) end
        if extra and extra.de then call('HSET', key, 'deid', extra.de.id) end
        local group = extra and extra.group
        if group then
            call('HSET', key, 'gid', group.id, 'gpr', group.priority or 0)
            call('INCR', base .. 'groups:turn') -- the queue has groups from now on, also if this job waits elsewhere first
        end
        call('XADD', events, '*', 'event', 'added', 'jobId', id, 'name', name)
        if waits then
            call('ZADD', base .. 'waiting-children', timestamp, id)
            event = 'waiting-children'
        elseif delay ~= '0' then
            related_steps().push_delayed(base, id, timestamp + delay, batch.max_events)
            batch.any_delayed = true
        elseif group then
            groups().push(base, group.id, id, group.priority, is_lifo)
            batch.any_grouped = true
            event = 'waiting'
        elseif priority ~= '0' then
            batch.prioritized[#batch.prioritized + 1] = priority
            batch.prioritized[#batch.prioritized + 1] = id
            event = 'waiting'
        else
            local place = is_lifo and batch.right or batch.left
            place[#place + 1] = id
            event = 'waiting'
        end
        if parent_key then call('SADD', parent_key .. ':dependencies', key) end
    end
    if event then
        if is_last then
            call('XADD', events, 'MAXLEN', '~', batch.max_events, '*', 'event', event, 'jobId', id)
        else
            call('XADD', events, '*', 'event', event, 'jobId', id)
        end
    end
    return id
end
