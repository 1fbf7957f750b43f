--[[
Extends the locks of n running jobs. Invariant: only a lock that still names its owner is extended; a renewed job is taken off
the list of suspects of the stalled check.

KEYS[1]   text  key base `<prefix>:<queue>:`
ARGV[1]   int   lock duration, ms
ARGV[2…]  2 words per job: id, token
Returns   the positions (from 1) of the jobs whose lock is gone or belongs to another
Events    none
BullMQ    6.7: extendLocks-1
--]]
local base = KEYS[1]
local lock_ms = ARGV[1]
local words = ARGV
local call = redis.call

local keys = {}
for i = 2, #words, 2 do keys[#keys + 1] = base .. words[i] .. ':lock' end
local owners = call('MGET', unpack(keys))
local renewed, lost = {}, {}
for n, key in ipairs(keys) do
    local id, token = words[2 * n], words[2 * n + 1]
    if owners[n] == token then
        call('SET', key, token, 'PX', lock_ms)
        renewed[#renewed + 1] = id
    else
        lost[#lost + 1] = n
    end
end
if #renewed > 0 then call('SREM', base .. 'stalled', unpack(renewed)) end
return lost
