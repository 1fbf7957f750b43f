--[[
Adds n jobs in the order given. Each gets a hash, one place (`wait`, `prioritized` or `delayed`) and its two events.
Invariants: an id whose hash exists is never written again; it is reported as a duplicate and nothing else changes (with a parent:
it becomes that parent's child). Of jobs with one deduplication id, one at a time gets in. A job that is refused has written nothing
and does not stop the others.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV     8 words per job:
         custom id (empty: take the next number), name, data (JSON), opts (JSON), timestamp (ms), delay (ms, 0: none),
         priority (0 … 2097151, 0: none), side ("L": behind the others, "R": lifo; for jobs without priority and delay; or the JSON
         text that add_job describes, for a deduplication id or a parent)
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

local WORDS_PER_JOB = 8
local count = #words / WORDS_PER_JOB
local replies = {}

-- A job without its parent does not even take a number. The parent may come with this call.
local accepted = count
local position_of
for i = 1, count do
    local side = words[i * WORDS_PER_JOB]
    if #side > 1 then
        local parent_key = cjson.decode(side).parentKey
        if parent_key and call('EXISTS', parent_key) == 0 then
            if not position_of then
                position_of = {}
                for k = count, 1, -1 do position_of[base .. words[(k - 1) * WORDS_PER_JOB + 1]] = k end
            end
            if (position_of[parent_key] or count) >= i then
                replies[i] = -5
                accepted = accepted - 1
            end
        end
    end
end
if accepted == 0 then return replies end

local batch = new_batch(base, accepted)
for i = 1, count do
    if not replies[i] then
        local at = (i - 1) * WORDS_PER_JOB
        local id, name, data, opts, timestamp, delay, priority, side = unpack(words, at + 1, at + WORDS_PER_JOB)
        replies[i] = add_job(batch, id, name, data, opts, timestamp, delay, priority, side, i == count, false)
    end
end
finish_batch(batch)
return replies
