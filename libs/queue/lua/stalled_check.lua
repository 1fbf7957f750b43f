--[[
Gives back the jobs of workers that died: an id that was active at the last check, has not renewed its lock since and has none
now goes to the front of `wait`, or of its group. Invariant: one check per interval and queue, whoever runs it; a job has to be seen twice.
A job that stalled more often than allowed gets a deferred failure, which whoever fetches it obeys; jobs of a scheduler are
spared, since the scheduler would end with them.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  int   now, ms
ARGV[2]  int   interval, ms
ARGV[3]  int   stalls allowed
Returns  the ids given back; or, if the last check is too fresh, ms until the next may be made
Events   waiting (prev=active), then stalled, per job
Cost     O(length of `active` + groups with all their slots in use)
BullMQ   6.7: moveStalledJobsToWait-9
--]]
local base = KEYS[1]
local now, interval, allowed = ARGV[1], ARGV[2], tonumber(ARGV[3])
local call = redis.call
--@include "marker"
--@include "groups"

local left = call('PTTL', base .. 'stalled-check')
if left >= 0 then return left end
call('SET', base .. 'stalled-check', now, 'PX', interval)
local settings = read_settings(base)
local events = base .. 'events'
call('XTRIM', events, 'MAXLEN', '~', events_length(base, settings))

local function belongs_to_scheduler(key)
    local scheduler = call('HGET', key, 'rjk')
    if not scheduler then return false end
    return call('EXISTS', base .. 'repeat:' .. scheduler) == 1 or call('ZSCORE', base .. 'repeat', scheduler) ~= false
end

local moved = {}
local grouped = has_groups(base)
local suspects = call('SMEMBERS', base .. 'stalled')
call('DEL', base .. 'stalled')
for _, id in ipairs(suspects) do
    local key = base .. id
    if call('EXISTS', key .. ':lock') == 0 and call('LREM', base .. 'active', 1, id) > 0 then
        local stalls = call('HINCRBY', key, 'stc', 1)
        if stalls > allowed and not belongs_to_scheduler(key) then
            call('HSET', key, 'defa', 'job stalled more than allowable limit')
        end
        local group = grouped and groups().leave(base, id)
        if group then
            groups().push(base, group, id, call('HGET', key, 'gpr') or 0, true)
            groups().wake(base, settings)
        else
            call('RPUSH', base .. 'wait', id)
            wake(base, settings)
        end
        call('XADD', events, '*', 'event', 'waiting', 'jobId', id, 'prev', 'active')
        call('XADD', events, '*', 'event', 'stalled', 'jobId', id)
        moved[#moved + 1] = id
    end
end

if grouped and groups().free_maxed(base) then groups().wake(base, settings) end

local active = call('LRANGE', base .. 'active', 0, -1)
for from = 1, #active, 6000 do
    call('SADD', base .. 'stalled', unpack(active, from, math.min(from + 5999, #active)))
end
return moved
