--[[
Entries of the events stream after one, of one job or of all. The reply ends early before it is more than a client reads; of an entry
that is too large for any reply the long values are left out.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id of an entry; "0": from the oldest
ARGV[2]  text  job id; empty: of any job
ARGV[3]  int   entries wanted
ARGV[4]  int   entries looked at, at most, in hundreds begun (missing: 5,000)
Returns  [ id of the last entry looked at, or nil at the end of the stream; entries as XRANGE tells them ]
Events   none
Cost     O(entries looked at)
BullMQ   no counterpart
--]]
local base = KEYS[1]
local after, job_id, wanted, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4] or 5000)
local call = redis.call
--@include "reply_size"

local PAGE = 100 -- read whole into memory
local reply, found, bytes = { false }, 0, 0

local function is_of_job(fields)
    if job_id == '' then return true end
    for i = 1, #fields, 2 do
        if fields[i] == 'jobId' then return fields[i + 1] == job_id end
    end
    return false
end

for _ = 1, math.ceil(most / PAGE) do
    local page = call('XRANGE', base .. 'events', after == '0' and '-' or '(' .. after, '+', 'COUNT', math.min(PAGE, job_id == '' and wanted - found or PAGE))
    for _, entry in ipairs(page) do
        local fields = entry[2]
        if is_of_job(fields) then
            local size = size_of(fields)
            if bytes + size > REPLY_BYTES and found > 0 then return reply end
            if size > JOB_BYTES then fields = without_long(fields) end
            bytes, found = bytes + size, found + 1
            reply[#reply + 1] = { entry[1], fields }
        end
        after = entry[1]
        reply[1] = after
        if found == wanted then return reply end
    end
    if #page < PAGE then
        reply[1] = false
        return reply
    end
end
return reply
