-- Says that nothing of a scope counts any more: answers carry the era they were stored in, and only those read at or after
-- its LSN begin the new one. An era is "CLEARED LSN" or "CLEARED.CHANGED LSN": answers of the same CLEARED are old, but may be
-- given while there is nothing better; the others are gone. Invariant: an LSN never goes back.
--
-- KEYS[1] era of the scope                          string
-- ARGV[1] a token never used before
-- ARGV[2] "1": keep what there is as old; "0": it is gone
-- ARGV[3] LSN that everything to forget is before   20 digits
--
-- Returns 1. O(1).
local era_key = KEYS[1]
local token, keeps_old, lsn = ARGV[1], ARGV[2] == '1', ARGV[3]

local era = redis.call('GET', era_key) or ''
if keeps_old then
    token = string.match(era, '^[^. ]*') .. '.' .. token
end
local known = string.match(era, ' (%d+)$') or ''
redis.call('SET', era_key, token .. ' ' .. (known > lsn and known or lsn))
return 1
