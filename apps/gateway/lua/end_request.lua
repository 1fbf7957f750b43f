-- Ends a request that begin_request.lua let run: keeps its answer, or forgets the key so that it may be tried again. Only the
-- runner may: a request that took longer than it may run finds another one's token and changes nothing.
--
-- KEYS[1] what is known of the key  hash (begin_request.lua)
-- ARGV[1] token of the runner       text
-- ARGV[2] status; empty: forget     text
-- ARGV[3] header fields to repeat   text
-- ARGV[4] body                      bytes
-- ARGV[5] how long it is kept       ms
--
-- Returns 1, or 0 if it was not the runner. O(1) and the size of the answer.
local key = KEYS[1]
local token, status, head, body, kept_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

if redis.call('HGET', key, 'token') ~= token then
    return 0
end
if status == '' then
    redis.call('DEL', key)
    return 1
end
redis.call('HSET', key, 'status', status, 'head', head, 'body', body)
redis.call('PEXPIRE', key, kept_ms)
return 1
