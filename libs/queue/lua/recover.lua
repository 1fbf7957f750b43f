--[[
After a finish_and_fetch whose reply was lost: what became of it? It ran as a whole or not at all, so each job that it was to
end still has our lock (it did not run) or not. Jobs that it took are in `active` under that call's own token; nobody runs them,
and they are handed out here with their lock renewed.

KEYS[1]   text  key base `<prefix>:<queue>:`
ARGV[1]   text  token of the lost call; empty: it wanted no jobs
ARGV[2]   int   lock duration, ms
ARGV[3]   int   the lost call's `now`, ms
ARGV[4…]  4 words per job: kind, id, token, "1" if it was to be removed at once (kinds of finish_and_fetch)
Returns   [ [verdict per job: 0 not done yet, 1 done, 2 lost to somebody else], jobs (fields and values, then the id) ]
Events    none
Cost      O(length of `active`)
BullMQ    no counterpart
--]]
local base = KEYS[1]
local call_token, lock_ms, call_time = ARGV[1], ARGV[2], ARGV[3]
local words = ARGV
local call = redis.call

local verdicts = {}
for i = 4, #words, 4 do
    local kind, id, token, is_removed = unpack(words, i, i + 3)
    local key = base .. id
    local verdict = 2
    if call('GET', key .. ':lock') == token then
        verdict = 0
    elseif kind == 'completed' or kind == 'failed' then
        if call('HGET', key, 'finishedOn') == call_time or (is_removed == '1' and call('EXISTS', key) == 0) then
            verdict = 1
        end
    elseif not call('LPOS', base .. 'active', id) then
        verdict = 1 -- it waits again, which is all that these kinds ask for
    end
    verdicts[#verdicts + 1] = verdict
end

local jobs = {}
if call_token ~= '' then
    for _, id in ipairs(call('LRANGE', base .. 'active', 0, -1)) do
        local key = base .. id
        if call('GET', key .. ':lock') == call_token then
            call('SET', key .. ':lock', call_token, 'PX', lock_ms)
            call('SREM', base .. 'stalled', id)
            local job = call('HGETALL', key)
            job[#job + 1] = id
            jobs[#jobs + 1] = job
        end
    end
end
return { verdicts, jobs }
