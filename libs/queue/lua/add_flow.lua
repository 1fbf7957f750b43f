--[[
Adds trees of jobs over any number of queues, all or nothing. A job with children waits for them in `waiting-children`; its children
know it by `parentKey`. Invariants: a refusal has written nothing; a parent whose children had all completed before is released
once, at the end; otherwise as add.

KEYS[1]… text key base `<prefix>:<queue>:` of each queue; on a cluster they share a slot
ARGV[1]  int   now, ms
ARGV[2…] 9 words per job, parents before their children:
         number of its key base, then the 8 words of add; jobs that get children or a parent have an id
Returns  [ 0, id, … ] in the same order, or [ code, position ] of the first job that is refused, counted from 1:
         -5 the parent does not exist, -7 the existing job has another parent, -12 its group is full, also by jobs of this call
Events   added, then waiting-children, waiting or delayed, per job on its own queue; duplicated for an existing id; those of
         released parents
Cost     as add
BullMQ   6.7: a transaction of addParentJob-6 and the others of add, then releaseParentIfNoPendingDependencies-2. Differs: there a
         child's refusal (-5, -7) is silent and leaves its parent waiting for ever
--]]
local bases = KEYS
local words = ARGV
local now = tonumber(ARGV[1])
local call = redis.call
--@include "add_job"

local FIXED_WORDS, WORDS_PER_JOB = 1, 9
local count = (#words - FIXED_WORDS) / WORDS_PER_JOB
local parents, is_listed, is_planned, per_base, waiting_in = {}, {}, {}, {}, {}

-- False: the job's group has no room for it. Counts those that will wait there.
local function has_room(base, id, delay, extra)
    local group = extra.group
    if not group or (id ~= '' and (is_planned[base .. id] or call('EXISTS', base .. id) == 1)) then return true end
    local place = groups().key(base, group.id, 'wait')
    local size = waiting_in[place] or call('ZCARD', place)
    if group.maxSize and size >= group.maxSize then return false end
    waiting_in[place] = (delay == '0' and not extra.waitsForChildren) and size + 1 or size
    return true
end

for i = 1, count do
    local at = FIXED_WORDS + (i - 1) * WORDS_PER_JOB
    local number, id, side = tonumber(words[at + 1]), words[at + 2], words[at + 9]
    local key = bases[number] .. id
    per_base[number] = (per_base[number] or 0) + 1
    local extra = #side > 1 and cjson.decode(side) or {}
    local parent_key = extra.parentKey
    if not has_room(bases[number], id, words[at + 7], extra) then return { -12, i } end
    if parent_key then
        if not is_planned[parent_key] and call('EXISTS', parent_key) == 0 then return { -5, i } end
        local other = call('HGET', key, 'parentKey')
        if other and other ~= parent_key and call('EXISTS', other) == 1 then return { -7, i } end
        if not is_listed[parent_key] then parents[#parents + 1] = parent_key end
        is_listed[parent_key] = true
    end
    is_planned[key] = true
end

local batches = {}
for number, jobs in pairs(per_base) do batches[number] = new_batch(bases[number], jobs) end
local reply = { 0 }
for i = 1, count do
    local at = FIXED_WORDS + (i - 1) * WORDS_PER_JOB
    local number, id, name, data, opts, timestamp, delay, priority, side = unpack(words, at + 1, at + WORDS_PER_JOB)
    reply[i + 1] = add_job(batches[tonumber(number)], id, name, data, opts, timestamp, delay, priority, side, true, true)
end
for number = 1, #bases do
    if batches[number] then finish_batch(batches[number]) end
end
for _, parent_key in ipairs(parents) do related_steps().release_parent_without_pending(parent_key, now) end
return reply
