-- Enters a request under its Idempotency-Key: the first one runs, later ones learn what became of it. Invariant: at most one
-- request of a key runs at a time, and none runs once an answer is kept.
--
-- KEYS[1] what is known of the key   hash: print (SHA-256 of the request), token (of the runner), status, head, body
-- ARGV[1] SHA-256 of the request     bytes
-- ARGV[2] a token never used before  text
-- ARGV[3] longest time it may run    ms; afterwards another may run
--
-- Returns {"run"} (kept as running), {"running"}, {"other"} (the key came with another request), {"done", status, head, body}.
-- O(1) and the size of the answer.
local key = KEYS[1]
local print, token, longest_ms = ARGV[1], ARGV[2], ARGV[3]

local known = redis.call('HMGET', key, 'print', 'status', 'head', 'body')
if not known[1] then
    redis.call('HSET', key, 'print', print, 'token', token)
    redis.call('PEXPIRE', key, longest_ms)
    return {'run'}
end
if known[1] ~= print then
    return {'other'}
end
if not known[2] then
    return {'running'}
end
return {'done', known[2], known[3], known[4]}
