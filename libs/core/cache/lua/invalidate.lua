-- Says that items, and lists that may show them, no longer count. What was stored of an item stays as its old answer for the
-- rest of its time. Invariant: an LSN never goes back.
--
-- KEYS[1]      guard of the scope's lists                 string "TOKEN LSN"
-- KEYS[3i - 1] guard of item i                            string "TOKEN LSN"
-- KEYS[3i]     the stored answer of item i                string
-- KEYS[3i + 1] its old answer                             string
-- ARGV[1] a token never used before
-- ARGV[2] LSN the change is visible from                  20 digits
-- ARGV[3] how long an item's guard is kept                ms
-- ARGV[4] "1": lists change too; "0": only the items
--
-- Returns the number of stored answers that were dropped. O(items).
local lists_guard = KEYS[1]
local token, lsn, memory_ms, with_lists = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'

local function next_guard(key)
    local guard = redis.call('GET', key)
    local known = guard and string.sub(guard, -20) or lsn
    return token .. ' ' .. (known > lsn and known or lsn)
end

local dropped = 0
for i = 2, #KEYS, 3 do
    local guard_key, value_key, old_key = KEYS[i], KEYS[i + 1], KEYS[i + 2]
    redis.call('SET', guard_key, next_guard(guard_key), 'PX', memory_ms)
    if redis.call('EXISTS', value_key) == 1 then
        redis.call('RENAME', value_key, old_key)
        dropped = dropped + 1
    end
end
if with_lists then
    redis.call('SET', lists_guard, next_guard(lists_guard))
end
return dropped
