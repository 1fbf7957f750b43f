--[[
A worker has fetched the pending job of a scheduler: creates the next one. Invariants: exactly one caller does it per job,
because the scheduler moves on with the first; a scheduler has one pending job. A record without `ic` belongs to a repeatable of
version 5: it keeps its form, and the next job takes name and data from the running one. Its key may also be of the older form
`name:id:endDate:tz:rule` without any record; ids of its jobs then have a checksum in the key's place, which stays the same.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  int   now, ms
ARGV[2]  text  id of the fetched job
ARGV[3]  text  scheduler id
ARGV[4]  int   interval of the fetched job's own options, ms (0: none)
ARGV[5]  int   next time as the cron pattern says, ms (0: an interval decides)
ARGV[6]  text  options of the next job: JSON text that ends inside the member jobId, before the time
ARGV[7]  int   priority of the next job
ARGV[8]  text  "R" lifo, "L" not
ARGV[9]  int   offset of the fetched job's own options, ms: how much later than their time version 5's jobs run
Returns  the id created, or nil: somebody else did it, the scheduler is gone, or that job exists
Events   added, then delayed or waiting; duplicated if the next id exists
Cost     O(log n)
BullMQ   6.7: updateJobScheduler-12
--]]
local base = KEYS[1]
local now, id, scheduler = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local own_every, cron_time = tonumber(ARGV[4]), tonumber(ARGV[5])
local opts, priority, side, own_offset = ARGV[6], tonumber(ARGV[7]), ARGV[8], tonumber(ARGV[9])
local call = redis.call
--@include "slots"
--@include "store"

local schedulers = base .. 'repeat'
local previous = call('ZSCORE', schedulers, scheduler)
local stem = string.match(id, '^(repeat:.*:)%d+$') -- of the ids of all its jobs
if not previous or not stem or stem .. previous ~= id then return nil end
local record_key = schedulers .. ':' .. scheduler
local record = call('HMGET', record_key, 'name', 'data', 'every', 'offset', 'ic')
local is_legacy = not record[5]
if stem ~= 'repeat:' .. scheduler .. ':' and not (is_legacy and string.find(scheduler, ':.*:')) then return nil end
local every = tonumber(record[3]) or own_every
local at = cron_time
if at == 0 then
    if every <= 0 then return nil end
    at = next_slot(tonumber(previous), every, now, tonumber(record[4]) or 0, nil)
end

local settings = read_settings(base)
local at_text = string.format('%.0f', at)
local next_id = stem .. at_text
if call('EXISTS', base .. next_id) == 1 then
    call('XADD', base .. 'events', 'MAXLEN', '~', events_length(base, settings), '*', 'event', 'duplicated',
         'jobId', next_id)
    return nil
end

local name, data = record[1], record[2] or '{}'
if is_legacy then
    local running = call('HMGET', base .. id, 'name', 'data')
    name, data = running[1], running[2] or '{}'
else
    call('HINCRBY', record_key, 'ic', 1)
end
call('ZADD', schedulers, at, scheduler)
call('INCR', base .. 'id')
local delay = math.max(0, at + (is_legacy and own_offset or 0) - now)
store_and_enqueue(base, settings, next_id, {
    name = name or scheduler, data = data, opts = opts .. at_text .. string.format('","delay":%.0f}', delay),
    timestamp = now, delay = delay, priority = priority, lifo = side == 'R',
}, { 'rjk', scheduler })
return next_id
