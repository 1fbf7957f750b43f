--[[
A worker has fetched the pending job of a scheduler: creates the next one. Invariants: exactly one caller does it per job,
because the scheduler moves on with the first; a scheduler has one pending job. A record without `ic` belongs to a repeatable of
version 5: it keeps its form, and the next job takes name and data from the running one.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  int   now, ms
ARGV[2]  text  id of the fetched job
ARGV[3]  text  scheduler id
ARGV[4]  int   interval of the fetched job's own options, ms (0: none)
ARGV[5]  int   next time as the cron pattern says, ms (0: an interval decides)
ARGV[6]  text  options of the next job: JSON text that ends inside the member jobId, before the time
ARGV[7]  int   priority of the next job
ARGV[8]  text  "R" lifo, "L" not
Returns  the id created, or nil: somebody else did it, the scheduler is gone, or that job exists
Events   added, then delayed or waiting; duplicated if the next id exists
Cost     O(log n)
BullMQ   6.7: updateJobScheduler-12
--]]
local base = KEYS[1]
local now, id, scheduler = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local own_every, cron_time = tonumber(ARGV[4]), tonumber(ARGV[5])
local opts, priority, side = ARGV[6], tonumber(ARGV[7]), ARGV[8]
local call = redis.call
--@include "slots"
--@include "store"

local schedulers = base .. 'repeat'
local previous = call('ZSCORE', schedulers, scheduler)
if not previous or 'repeat:' .. scheduler .. ':' .. previous ~= id then return nil end
local record_key = schedulers .. ':' .. scheduler
local record = call('HMGET', record_key, 'name', 'data', 'every', 'offset', 'ic')
local every = tonumber(record[3]) or own_every
local at = cron_time
if at == 0 then
    if every <= 0 then return nil end
    at = next_slot(tonumber(previous), every, now, tonumber(record[4]) or 0, nil)
end

local settings = read_settings(base)
local at_text = string.format('%.0f', at)
local next_id = 'repeat:' .. scheduler .. ':' .. at_text
if call('EXISTS', base .. next_id) == 1 then
    call('XADD', base .. 'events', 'MAXLEN', '~', events_length(base, settings), '*', 'event', 'duplicated',
         'jobId', next_id)
    return nil
end

local name, data = record[1], record[2] or '{}'
if record[5] then
    call('HINCRBY', record_key, 'ic', 1)
else
    local running = call('HMGET', base .. id, 'name', 'data')
    name, data = running[1], running[2] or '{}'
end
call('ZADD', schedulers, at, scheduler)
call('INCR', base .. 'id')
local delay = math.max(0, at - now)
store_and_enqueue(base, settings, next_id, {
    name = name or scheduler, data = data, opts = opts .. at_text .. string.format('","delay":%.0f}', delay),
    timestamp = now, delay = delay, priority = priority, lifo = side == 'R',
}, { 'rjk', scheduler })
return next_id
