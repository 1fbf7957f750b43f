--[[
Adds n jobs in the order given. Each gets a hash, one place (`wait`, `prioritized` or `delayed`) and its two events.
Invariant: an id whose hash exists is never written again; it is reported as a duplicate and nothing else changes. The counter
moves by one per job, also for custom ids, so that all clients of a queue go on sharing it.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV     8 words per job:
         custom id (empty: take the next number), name, data (JSON), opts (JSON), timestamp (ms), delay (ms, 0: none),
         priority (0 … 2097151, 0: none), side ("L": behind the others, "R": lifo; for jobs without priority and delay)
Returns  the ids, in order
Events   added, then waiting or delayed, per job; duplicated for an existing id. The last one trims the stream
Cost     O(1) per job; O(log n) with priority or delay
BullMQ   6.7: addStandardJob-9, addPrioritizedJob-9, addDelayedJob-6 (without parent and deduplication)
--]]
local base = KEYS[1]
local words = ARGV
local call = redis.call
--@include "marker"
--@include "places"

local WORDS_PER_JOB = 8
local count = #words / WORDS_PER_JOB
local settings = read_settings(base)
local max_events = events_length(base, settings)
local events = base .. 'events'
local number = call('INCRBY', base .. 'id', count) - count
local ids, left, right, prioritized = {}, {}, {}, {}
local any_delayed = false

for i = 1, count do
    local at = (i - 1) * WORDS_PER_JOB
    local id, name, data, opts, timestamp, delay, priority, side = unpack(words, at + 1, at + WORDS_PER_JOB)
    local is_custom = id ~= ''
    if not is_custom then id = string.format('%.0f', number + i) end
    ids[i] = id
    local key = base .. id
    local event = 'waiting'
    if is_custom and call('EXISTS', key) == 1 then
        event = 'duplicated'
    else
        call('HSET', key, 'name', name, 'data', data, 'opts', opts, 'timestamp', timestamp, 'delay', delay,
             'priority', priority)
        call('XADD', events, '*', 'event', 'added', 'jobId', id, 'name', name)
        if delay ~= '0' then
            push_delayed(base, id, timestamp + delay, max_events)
            any_delayed = true
            event = nil
        elseif priority ~= '0' then
            prioritized[#prioritized + 1] = priority
            prioritized[#prioritized + 1] = id
        elseif side == 'R' then
            right[#right + 1] = id
        else
            left[#left + 1] = id
        end
    end
    if event then
        if i == count then
            call('XADD', events, 'MAXLEN', '~', max_events, '*', 'event', event, 'jobId', id)
        else
            call('XADD', events, '*', 'event', event, 'jobId', id)
        end
    end
end

-- The two ends of a list do not meet, so all pushes to one end may go together.
if #left > 0 then call('LPUSH', base .. 'wait', unpack(left)) end
if #right > 0 then call('RPUSH', base .. 'wait', unpack(right)) end
if #prioritized > 0 then
    local order = call('INCRBY', base .. 'pc', #prioritized / 2) - #prioritized / 2
    for i = 1, #prioritized, 2 do
        prioritized[i] = prioritized[i] * 4294967296 + (order + (i + 1) / 2) % 4294967296
    end
    call('ZADD', base .. 'prioritized', unpack(prioritized))
end
if #left + #right + #prioritized > 0 then wake(base, settings) end
if any_delayed then wake_at_next_delayed(base) end
return ids
