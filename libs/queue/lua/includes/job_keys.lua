-- The keys of a job that go when the job goes (its lock expires or is released by its owner).
local function append_job_keys(keys, key)
    local n = #keys
    keys[n + 1] = key
    keys[n + 2] = key .. ':logs'
    keys[n + 3] = key .. ':dependencies'
    keys[n + 4] = key .. ':processed'
    keys[n + 5] = key .. ':failed'
    keys[n + 6] = key .. ':unsuccessful'
end

-- DEL of any number of keys, in portions that fit Lua's stack. Number of keys that existed.
local function delete_keys(keys)
    local existed = 0
    for from = 1, #keys, 6000 do
        existed = existed + call('DEL', unpack(keys, from, math.min(from + 5999, #keys)))
    end
    return existed
end
