--[[
Creates a scheduler, or gives an existing one a new rule, and makes its next job. Invariants: a scheduler has one pending job, whose
id is made of the scheduler's id and time; a job of it that runs or has finished is never touched; a refusal has written nothing.

KEYS[1]   text  key base `<prefix>:<queue>:`
ARGV[1]   int   now, ms
ARGV[2]   text  scheduler id
ARGV[3]   text  name of its jobs
ARGV[4]   text  their data (JSON)
ARGV[5]   text  the template's options (JSON)
ARGV[6]   int   interval, ms (0: the pattern decides)
ARGV[7]   int   next time as the pattern says, ms (0: the interval decides)
ARGV[8]   int   offset inside the interval, ms (0: none is asked for)
ARGV[9]   text  startDate, ms; empty: none
ARGV[10]  text  endDate, ms; empty: none
ARGV[11]  text  time zone; empty: none
ARGV[12]  text  pattern; empty: none
ARGV[13]  text  limit of iterations; empty: none
ARGV[14]  text  options of the job: JSON text that ends inside the member jobId, before the time
ARGV[15]  int   priority of the job
ARGV[16]  text  "R" lifo, "L" not
Returns   [ job id, delay in ms ], or a code: -10 the pattern's next job exists and is not waiting, -11 so do those of 32 slots
Events    added, then delayed or waiting. The pending job that is replaced goes without an event
Cost      O(log n); O(n) if the pending job is in `wait`
BullMQ    6.7: addJobScheduler-11. Differs: the pending job is found in `wait` also while the queue is paused; a changed interval
          gets an offset of its own
--]]
local base = KEYS[1]
local now, scheduler, name, data, template = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local every, cron_time, offset = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local start_text, end_text, zone, pattern, limit = ARGV[9], ARGV[10], ARGV[11], ARGV[12], ARGV[13]
local opts, priority, side = ARGV[14], tonumber(ARGV[15]), ARGV[16]
local call = redis.call
--@include "deduplication"
--@include "job_keys"
--@include "slots"
--@include "store"

local MOST_SLOTS = 32
local schedulers = base .. 'repeat'
local record_key = schedulers .. ':' .. scheduler
local function id_at(at) return string.format('repeat:%s:%.0f', scheduler, at) end

local previous = tonumber(call('ZSCORE', schedulers, scheduler) or nil)
local old = call('HMGET', record_key, 'every', 'offset', 'ic')
local pending = previous and id_at(previous)

-- Where the pending job waits; nil: it is active, has finished or is gone.
local function place_of(id)
    for _, set in ipairs({ 'delayed', 'prioritized' }) do
        if call('ZSCORE', base .. set, id) then return set end
    end
    for _, list in ipairs({ 'wait', 'paused' }) do
        if call('LPOS', base .. list, id) then return list end
    end
    return nil
end
local place = pending and call('EXISTS', base .. pending) == 1 and place_of(pending)

local at, record_offset = cron_time, place and tonumber(old[2]) or 0
if every > 0 then
    local is_changed = previous and tonumber(old[1]) ~= every
    local slot_offset
    at, slot_offset = next_slot(not is_changed and previous or nil, every, now, offset, tonumber(start_text))
    if place and not is_changed then
        at = previous
        if offset > 0 then record_offset = offset end
    else
        record_offset = slot_offset
    end
end

local function is_taken(id) return call('EXISTS', base .. id) == 1 and not (place and id == pending) end
if is_taken(id_at(at)) then
    if every == 0 then return -10 end
    local tried = 0
    repeat
        at = at + every
        tried = tried + 1
    until tried == MOST_SLOTS or not is_taken(id_at(at))
    if is_taken(id_at(at)) then return -11 end
end

if place then
    if place == 'delayed' or place == 'prioritized' then
        call('ZREM', base .. place, pending)
    else
        call('LREM', base .. place, 1, pending)
    end
    local deduplication_id = call('HGET', base .. pending, 'deid')
    if deduplication_id then forget_deduplication_id(base, deduplication_id, pending) end
    local keys = {}
    append_job_keys(keys, base .. pending)
    delete_keys(keys)
end

local record = { 'name', name, 'offset', record_offset, 'ic', old[3] or 1 }
local function put(field, value)
    if value == '' then return end
    record[#record + 1] = field
    record[#record + 1] = value
end
put('every', every > 0 and every or '')
put('pattern', pattern)
put('tz', zone)
put('limit', limit)
put('startDate', start_text)
put('endDate', end_text)
put('opts', template ~= '{}' and template or '')
put('data', data ~= '{}' and data or '')
call('ZADD', schedulers, at, scheduler)
call('DEL', record_key)
call('HSET', record_key, unpack(record))

call('INCR', base .. 'id')
local delay = math.max(0, at - now)
local id = id_at(at)
store_and_enqueue(base, read_settings(base), id, {
    name = name, data = data, opts = opts .. string.format('%.0f","delay":%.0f}', at, delay), timestamp = now,
    delay = delay, priority = priority, lifo = side == 'R',
}, { 'rjk', scheduler })
return { id, delay }
