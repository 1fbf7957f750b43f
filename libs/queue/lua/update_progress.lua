--[[
Stores a job's progress and tells whoever listens. Invariant: no hash is created for a job that is gone.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id
ARGV[2]  text  progress, JSON
Returns  0, or -1 no hash
Events   progress
BullMQ   6.7: updateProgress-3
--]]
local base = KEYS[1]
local id, progress = ARGV[1], ARGV[2]
local call = redis.call
--@include "settings"

local key = base .. id
if call('EXISTS', key) == 0 then return -1 end
call('HSET', key, 'progress', progress)
call('XADD', base .. 'events', 'MAXLEN', '~', events_length(base, read_settings(base)), '*', 'event', 'progress',
     'jobId', id, 'data', progress)
return 0
