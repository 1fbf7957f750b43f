-- Says that nothing of a scope counts any more: answers carry the era they were stored in. An era is "CLEARED" or
-- "CLEARED.CHANGED": answers of the same CLEARED are old, but may be given while there is nothing better; the others are gone.
--
-- KEYS[1] era of the scope  string
-- ARGV[1] a token never used before
-- ARGV[2] "1": keep what there is as old; "0": it is gone
--
-- Returns 1. O(1).
local era_key = KEYS[1]
local token, keeps_old = ARGV[1], ARGV[2] == '1'

local era = token
if keeps_old then
    local cleared = string.match(redis.call('GET', era_key) or '', '^[^.]*')
    era = cleared .. '.' .. token
end
redis.call('SET', era_key, era)
return 1
