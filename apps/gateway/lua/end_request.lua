-- Ends a request that begin_request.lua let run. Only the runner may: a request that took longer than it may run finds another
-- one's token and changes nothing.
--
-- KEYS[1] what is known of the key  hash (begin_request.lua)
-- ARGV[1] token of the runner       text
-- ARGV[2] what becomes of the key   "keep": its answer is repeated from now on; "again": the request may run again, with the
--                                   same nonce; "forget": the key is as new
-- ARGV[3] status                    text, for "keep" as the rest
-- ARGV[4] header fields to repeat   text
-- ARGV[5] body                      bytes
-- ARGV[6] how long it is kept       ms
--
-- Returns 1, or 0 if it was not the runner. O(1) and the size of the answer.
local key = KEYS[1]
local token, outcome, status, head, body, kept_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

if redis.call('HGET', key, 'token') ~= token then
    return 0
end
if outcome == 'forget' then
    redis.call('DEL', key)
elseif outcome == 'again' then
    redis.call('HDEL', key, 'token', 'until')
else
    redis.call('HSET', key, 'status', status, 'head', head, 'body', body)
    redis.call('HDEL', key, 'token', 'until')
    redis.call('PEXPIRE', key, kept_ms)
end
return 1
