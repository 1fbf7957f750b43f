-- Tells which of some jobs have a text in their data, so that a page of one user's jobs costs one call and not one for each job
-- of all the others.
--
-- KEYS[1] key base of the queue  "<prefix>:<name>:"; the jobs' hashes begin with it
-- ARGV[1] the text               taken as it is, no pattern
-- ARGV[2..] ids of jobs
--
-- Returns the numbers of those that have it, counted from 1. Writes nothing. O(n) and the size of their data.
local base, wanted = KEYS[1], ARGV[1]

local found = {}
for i = 2, #ARGV do
    local data = redis.call('HGET', base .. ARGV[i], 'data')
    if data and string.find(data, wanted, 1, true) then
        found[#found + 1] = i - 1
    end
end
return found
