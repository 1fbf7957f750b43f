--[[
After a finish_and_fetch whose reply was lost: what became of it? Each job that it was to end still has our lock (it did not run, or
stopped in the middle because of an error: the job may have left its place then, and is put back into `active`) or not. Jobs that
the call took are in `active` under its own token; nobody runs them, and they are handed out here with their lock renewed, in portions
that a reply can carry.

KEYS[1]   text  key base `<prefix>:<queue>:`
ARGV[1]   text  token of the lost call; empty: it wanted no jobs
ARGV[2]   int   lock duration, ms
ARGV[3]   int   the lost call's `now`, ms
ARGV[4]   int   n, jobs of the call that were handed out already
ARGV[5…]  their ids
then      4 words per job: kind, id, token, "1" if it was to be removed at once (kinds of finish_and_fetch)
Returns   [ [verdict per job: 0 not done yet, 1 done, 2 lost to somebody else], jobs (fields and values, then the id),
            1 if there are more jobs, else 0 ]
Events    none
Cost      O(length of `active`), once more for each job that is put back
BullMQ    no counterpart
--]]
local base = KEYS[1]
local call_token, lock_ms, call_time, known_count = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local words = ARGV
local call = redis.call
--@include "reply_size"
--@include "state"

local FIXED_WORDS = 4
local known = {}
for i = FIXED_WORDS + 1, FIXED_WORDS + known_count do known[words[i]] = true end

local verdicts = {}
for i = FIXED_WORDS + known_count + 1, #words, 4 do
    local kind, id, token, is_removed = unpack(words, i, i + 3)
    local key = base .. id
    local verdict = 2
    if call('GET', key .. ':lock') == token then
        verdict = 0
        if state_of(base, id) == 'unknown' and call('EXISTS', key) == 1 then call('LPUSH', base .. 'active', id) end
    elseif kind == 'completed' or kind == 'failed' then
        if call('HGET', key, 'finishedOn') == call_time or (is_removed == '1' and call('EXISTS', key) == 0) then
            verdict = 1
        end
    elseif not call('LPOS', base .. 'active', id) then
        verdict = 1 -- it waits again, which is all that these kinds ask for
    end
    verdicts[#verdicts + 1] = verdict
end

local jobs, bytes, more = {}, 0, 0
if call_token ~= '' then
    for _, id in ipairs(call('LRANGE', base .. 'active', 0, -1)) do
        local key = base .. id
        if not known[id] and call('GET', key .. ':lock') == call_token then
            local job = call('HGETALL', key)
            local size = size_of(job)
            bytes = bytes + size
            if bytes > REPLY_BYTES and #jobs > 0 then
                more = 1
                break
            end
            call('SET', key .. ':lock', call_token, 'PX', lock_ms)
            call('SREM', base .. 'stalled', id)
            job = readable(job, size)
            job[#job + 1] = id
            jobs[#jobs + 1] = job
        end
    end
end
return { verdicts, jobs, more }
