--[[
Jobs of a state with their hashes. Ids without a job are skipped, and what comes after them fills the page; at most five pages
of ids are looked at. The page ends early before it is more than a reply can carry; of a job that is too large for any reply the long
values are left out.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  state
ARGV[2]  int   first position, from 0
ARGV[3]  int   jobs wanted, 1 … 1000
ARGV[4]  text  "1": next to run, longest active or oldest first
Returns  [ position after the last id looked at, or -1 at the end; per job: id, fields and values of the hash ]
Events   none
Cost     O(distance of the page from an end + size of the jobs)
BullMQ   6.7: getRanges-1 and HGETALL
--]]
local base = KEYS[1]
local state, position, wanted, is_ascending = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local call = redis.call
--@include "ids"
--@include "reply_size"

local total = length_of(base, state)
local reply, found, bytes = { 0 }, 0, 0

-- Appends the jobs of these ids; how many ids were looked at.
local function append_jobs(ids)
    for n, id in ipairs(ids) do
        local job = call('HGETALL', base .. id)
        if #job > 0 then
            local size = size_of(job)
            if bytes + size > REPLY_BYTES and found > 0 then return n - 1 end
            bytes, found = bytes + size, found + 1
            reply[#reply + 1] = id
            reply[#reply + 1] = readable(job, size)
        end
    end
    return #ids
end

for _ = 1, 5 do
    if found == wanted or position >= total then break end
    local ids = ids_of(base, state, position, math.min(position + wanted - found, total) - 1, is_ascending)
    local looked_at = append_jobs(ids)
    position = position + looked_at
    if looked_at < #ids then break end
end
reply[1] = position < total and position or -1
return reply
