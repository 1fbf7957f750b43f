--@include "seldom"

-- Removes finished jobs for good. Deduplication ids are left alone, as everywhere when age or count evicts a job.
local function evict(base, ids, now)
    local keys = {}
    for _, id in ipairs(ids) do
        local key = base .. id
        local parent_key = call('HGET', key, 'parentKey')
        if parent_key then seldom().unlink_child(key, parent_key, now) end
        append_job_keys(keys, key)
    end
    delete_keys(keys)
end

local MOST = 9007199254740991 -- the largest number that Redis is told as a whole one

-- Keeps the finished set `target` within age (seconds) and count, numbers or nil; at most `limit` leave by age in one call.
-- O(log n) plus what is removed.
local function apply_keep(base, target, count, age, limit, now)
    local set = base .. target
    count, limit = count and math.min(count, MOST), math.min(limit, MOST)
    if age then
        local oldest = now - age * 1000
        local ids = call('ZREVRANGEBYSCORE', set, oldest, '-inf', 'LIMIT', '0', limit)
        evict(base, ids, now)
        if #ids < limit then
            if #ids > 0 then call('ZREMRANGEBYSCORE', set, '-inf', oldest) end
        else
            for from = 1, #ids, 6000 do call('ZREM', set, unpack(ids, from, math.min(from + 5999, #ids))) end
        end
    end
    if count and count > 0 then
        local ids = call('ZREVRANGE', set, count, '-1')
        if #ids > 0 then
            evict(base, ids, now)
            call('ZREMRANGEBYRANK', set, 0, -(count + 1))
        end
    end
end
