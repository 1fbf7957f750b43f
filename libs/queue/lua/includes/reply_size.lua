-- What a reply may carry. A client refuses one of more than 64 MiB, and would meet the same jobs again with every further try.
local REPLY_BYTES = 16777216 -- of the jobs of one reply, unless a single one has more
local JOB_BYTES = 50331648   -- of a single job: one with more is handed out only to fail

-- Bytes of the values. job: fields and values of its hash. O(fields).
local function size_of(job)
    local size = 0
    for i = 2, #job, 2 do size = size + #job[i] end
    return size
end

-- The fields and values of these that are not long. O(fields).
local function without_long(fields)
    local short = {}
    for i = 1, #fields, 2 do
        if #fields[i + 1] <= 65536 then
            short[#short + 1] = fields[i]
            short[#short + 1] = fields[i + 1]
        end
    end
    return short
end

-- The job as a reply can carry it: one that is too large comes without its long values, and with a failure that whoever fetched it
-- obeys. Nothing is written.
local function readable(job, size)
    if size <= JOB_BYTES then return job end
    local short = without_long(job)
    short[#short + 1] = 'defa' -- the last one counts
    short[#short + 1] = string.format('the job has %.0f bytes, a worker takes at most %.0f', size, JOB_BYTES)
    return short
end
