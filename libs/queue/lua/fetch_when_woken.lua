--[[
Takes up to m jobs as finish_and_fetch does. It is sent behind a blocking wait on the marker, and runs when that wait has ended: a
worker with nothing to do gets its job in the reply that wakes it. How long that takes is not known when it is sent, so the time
is this server's, moved by the difference that the worker has found.
Invariants: those of fetch_jobs.

KEYS[1]   text  key base `<prefix>:<queue>:`
ARGV[1]   int   what this server's clock lacks to the worker's, µs; may be negative
ARGV[2]   text  token: the lock of the jobs that this call takes; unique per call
ARGV[3]   int   lock duration, ms
ARGV[4]   int   m, jobs wanted
ARGV[5]   text  worker name; may be empty
ARGV[6]   int   the worker's own rate limit, jobs per window (0: none)
ARGV[7]   int   its window, ms (0: none)
ARGV[8]   text  as for finish_and_fetch
Returns   [ [], jobs (fields and values of the hash before this run, then the id), ms to wait because of a rate limit, time of the
            next delayed job or end of a group's limit, or 0, now in ms ]
Events    those of fetch_jobs
Cost      O(log n) per job
BullMQ    6.7: moveToActive-11
--]]
local base = KEYS[1]
local ahead, token, lock_ms, wanted_text = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local worker, limit_max, limit_duration, limits_text = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local call = redis.call
--@include "fetch"
--@include "group_limits"

local time = call('TIME')
local now = math.floor((time[1] * 1000000 + time[2] + ahead) / 1000)
local _, group_limits = read_limits(limits_text)
local jobs, limited_ms, next_time = fetch_jobs(base, read_settings(base), {
    wanted = tonumber(wanted_text), wanted_text = wanted_text, now = now, now_text = string.format('%.0f', now), token = token,
    lock_ms = lock_ms, worker = worker, limit_max = limit_max > 0 and limit_max or nil,
    limit_duration = limit_duration > 0 and limit_duration or nil, group_limits = group_limits,
})
return { {}, jobs, limited_ms, next_time, now }
