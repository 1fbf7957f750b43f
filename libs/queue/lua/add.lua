--[[
Adds n jobs in the order given. Each gets a hash, one place (`wait`, `prioritized` or `delayed`) and its two events.
Invariants: an id whose hash exists is never written again; it is reported as a duplicate and nothing else changes (with a parent:
it becomes that parent's child). Of jobs with one deduplication id, one at a time gets in. A job that is refused has written nothing
and does not stop the others.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV     for each job 8 words:
         custom id (empty: take the next number), name, data (JSON), opts (JSON), timestamp (ms), delay (ms, 0: none),
         priority (0 … 2097151, 0: none), side ("L": behind the others, "R": lifo; for jobs without priority and delay; or the JSON
         text that add_job describes, for a deduplication id or a parent)
         or 2 words, for one without a custom id that shares the other words but data with an earlier one:
         ":n" (it is the n-th of this call that has 8 words), data
Returns  one element a job, in order: its id (deduplicated: the id of the job that was there before), or a code:
         -5 the parent does not exist, -7 the existing job has another parent, -12 the group is full
Events   added, then waiting or delayed, per job; duplicated for an existing id. The last one trims the stream. deduplicated
Cost     O(1) per job; O(log n) with priority or delay; keepLastIfActive: O(length of `active`)
BullMQ   6.7: addStandardJob-9, addPrioritizedJob-9, addDelayedJob-6
--]]
local base = KEYS[1]
local words = ARGV
local call = redis.call
--@include "add_job"

local WORDS_PER_JOB, WORDS_OF_ANOTHER = 8, 2
local replies = {}

-- Of each job: where its words begin, and where those that it shares with others do.
local count, starts, shared = 0, {}, {}
local full, earlier = 0, {}
local at = 1
while at <= #words do
    count = count + 1
    starts[count] = at
    local other = earlier[words[at]]
    if other then
        shared[count] = other
        at = at + WORDS_OF_ANOTHER
    else
        shared[count] = at
        full = full + 1
        earlier[':' .. full] = at
        at = at + WORDS_PER_JOB
    end
end

-- A job without its parent does not even take a number. The parent may come with this call, which has to be seen then.
local accepted = count
local position_of
local parents = {}
for i = 1, count do
    local side = words[shared[i] + 7]
    if #side > 1 then
        local parent_key = cjson.decode(side).parentKey
        if parent_key and call('EXISTS', parent_key) == 0 then
            if not position_of then
                position_of = {}
                for k = count, 1, -1 do position_of[base .. words[starts[k]]] = k end
            end
            local position = position_of[parent_key] or count
            if position >= i or replies[position] then
                replies[i] = -5
                accepted = accepted - 1
            else
                parents[i] = parent_key
            end
        end
    end
end
if accepted == 0 then return replies end

local batch = new_batch(base, accepted)
for i = 1, count do
    if parents[i] and call('EXISTS', parents[i]) == 0 then replies[i] = -5 end -- suppressed, or refused by add_job
    if not replies[i] then
        local own = starts[i]
        local id, name, data, opts, timestamp, delay, priority, side = unpack(words, shared[i], shared[i] + 7)
        if own ~= shared[i] then id, data = '', words[own + 1] end
        replies[i] = add_job(batch, id, name, data, opts, timestamp, delay, priority, side, i == count, false)
    end
end
finish_batch(batch)
return replies
