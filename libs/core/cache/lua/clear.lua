-- Says that nothing of a scope counts any more: answers carry the era they were stored in.
--
-- KEYS[1] era of the scope  string
-- ARGV[1] a token never used before
--
-- Returns 1. O(1).
local era_key = KEYS[1]
local token = ARGV[1]

redis.call('SET', era_key, token)
return 1
