-- Stores an answer that was loaded, unless something was invalidated since the miss or the answer is older than the last
-- invalidation. Invariant: a stored answer was read at or after the last invalidation of what it shows.
--
-- KEYS[1] era of the scope            string "TOKEN LSN"
-- KEYS[2] guard of the answer         string "TOKEN LSN"
-- KEYS[3] the answer                  string
-- KEYS[4] the old answer of an item   string, not given for a list
-- ARGV[1] era seen at the miss        "TOKEN LSN", empty if there was none
-- ARGV[2] guard seen at the miss      "TOKEN LSN", empty if there was none
-- ARGV[3] LSN the answer was read at  20 digits
-- ARGV[4] life of the answer          ms
-- ARGV[5] guard to set if missing     "TOKEN LSN", empty: leave it missing
-- ARGV[6] the answer
--
-- Returns "stored", "moved" (an invalidation came meanwhile: nothing written), "too_old" (read before the last invalidation:
-- nothing written). O(1) and the size of the answer.
local era_key, guard_key, value_key, old_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local era_seen, guard_seen, lsn = ARGV[1], ARGV[2], ARGV[3]
local life_ms, new_guard, value = ARGV[4], ARGV[5], ARGV[6]

local era = redis.call('GET', era_key) or ''
if era ~= era_seen then
    return redis.status_reply('moved')
end
local guard = redis.call('GET', guard_key) or ''
if guard ~= guard_seen then
    return redis.status_reply('moved')
end
-- All are 20 digits, so that text compares as numbers do, beyond the 53 bits of a Lua number.
for _, invalidated in ipairs({era, guard}) do
    if lsn < (string.match(invalidated, ' (%d+)$') or '') then
        return redis.status_reply('too_old')
    end
end
if guard == '' and new_guard ~= '' then
    redis.call('SET', guard_key, new_guard)
end
redis.call('SET', value_key, value, 'PX', life_ms)
if old_key then
    redis.call('DEL', old_key)
end
return redis.status_reply('stored')
