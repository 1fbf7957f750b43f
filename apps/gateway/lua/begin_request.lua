-- Enters a request under its Idempotency-Key: the first one runs, later ones learn what became of it. Invariants: at most one
-- request of a key runs at a time, none runs once an answer is kept, and all that run in the key's time have the same nonce. The
-- clock is this server's, since gateways whose clocks differ would disagree about whose time is up.
--
-- KEYS[1] what is known of the key   hash: print (SHA-256 of the request), nonce, token and until (ms) of the runner, status,
--                                    head, body
-- ARGV[1] SHA-256 of the request     bytes
-- ARGV[2] a token never used before  text
-- ARGV[3] longest time it may run    ms; afterwards another may run
-- ARGV[4] the key's time             ms, from the first request or the answer; afterwards the key is as new
-- ARGV[5] nonce if the key is new    text
--
-- Returns {"run", nonce} (kept as running), {"running"}, {"other"} (the key came with another request), {"done", status, head,
-- body}. O(1) and the size of the answer.
local key = KEYS[1]
local print, token, longest_ms, kept_ms, nonce = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known = redis.call('HMGET', key, 'print', 'status', 'head', 'body', 'until', 'nonce')
if not known[1] then
    redis.call('HSET', key, 'print', print, 'nonce', nonce, 'token', token, 'until', string.format('%.0f', now + longest_ms))
    redis.call('PEXPIRE', key, kept_ms)
    return {'run', nonce}
end
if known[1] ~= print then
    return {'other'}
end
if known[2] then
    return {'done', known[2], known[3], known[4]}
end
if tonumber(known[5] or 0) > now then
    return {'running'}
end
redis.call('HSET', key, 'token', token, 'until', string.format('%.0f', now + longest_ms))
return {'run', known[6] or ''}
