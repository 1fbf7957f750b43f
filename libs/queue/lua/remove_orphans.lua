--[[
Of n candidates, removes the jobs that are in no state. Invariants: only hashes that are jobs are touched (they have a name, and
one whose id has colons names its scheduler), and of these only what no list, set or sorted set of the queue holds; a job with a
lock stays.

KEYS[1]   text  key base `<prefix>:<queue>:`
ARGV[1…]  text  ids, at most 1000
Returns   number removed
Events    none
Cost      O(log n) per id, and once O(length of `wait`) if a candidate is in no sorted set
BullMQ    6.7: removeOrphanedJobs-1
--]]
local base = KEYS[1]
local ids = ARGV
local call = redis.call
--@include "job_keys"
--@include "groups"

local listed
local function is_listed(id)
    if not listed then
        listed = {}
        for _, place in ipairs({ 'active', 'wait', 'paused' }) do
            for _, other in ipairs(call('LRANGE', base .. place, 0, -1)) do listed[other] = true end
        end
    end
    return listed[id]
end

local function is_job(id)
    local key = base .. id
    if call('TYPE', key).ok ~= 'hash' then return false end
    local job = call('HMGET', key, 'name', 'rjk')
    return job[1] and (job[2] or not string.find(id, ':', 1, true)) and call('EXISTS', key .. ':lock') == 0
end

local function has_place(id)
    for _, place in ipairs({ 'completed', 'failed', 'delayed', 'prioritized', 'waiting-children' }) do
        if call('ZSCORE', base .. place, id) then return true end
    end
    local group = call('HGET', base .. id, 'gid')
    if group and call('ZSCORE', groups().key(base, group, 'wait'), id) then return true end
    return is_listed(id)
end

local keys, removed = {}, 0
for _, id in ipairs(ids) do
    if is_job(id) and not has_place(id) then
        append_job_keys(keys, base .. id)
        removed = removed + 1
    end
end
delete_keys(keys)
return removed
