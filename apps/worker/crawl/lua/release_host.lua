-- Ends a lease and learns from the answer: an overloaded host gets its delay doubled, a quiet one halved again.
--
-- KEYS[1] hash    state of the host, see lease_host.lua
-- KEYS[2] zset    leases
-- ARGV[1] string  token
-- ARGV[2] int     1: the host is overloaded (429, 503, timeout)
-- ARGV[3] int     time to the first byte, ms; 0: unknown
-- ARGV[4] int     the host's own delay, ms; 0: nothing is learnt
-- ARGV[5] int     largest delay that is learnt, ms
-- ARGV[6] int     after so many quiet ms the learnt delay is halved
-- Returns the learnt delay, ms (0: none)

local state, leases = KEYS[1], KEYS[2]
local token, is_overloaded, first_byte = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3])
local delay, most, quiet = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

redis.call('ZREM', leases, token)
if delay == 0 then
    return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local extra, latency, slowed, next_start = unpack(redis.call('HMGET', state, 'extra', 'latency', 'slowed', 'next'))
extra, latency, slowed, next_start = tonumber(extra) or 0, tonumber(latency), tonumber(slowed) or 0, tonumber(next_start) or 0

if is_overloaded then
    extra = math.min(most, math.max(extra, delay) * 2)
    slowed = now
    next_start = math.max(next_start, now + extra)
elseif extra > 0 and now - slowed >= quiet then
    extra = math.floor(extra / 2)
    if extra <= delay then
        extra = 0
    end
    slowed = now
end
-- A quick refusal must not make us faster: only what is slower than the average counts then.
if first_byte > 0 and (not is_overloaded or first_byte > (latency or 0)) then
    latency = latency and math.floor((latency + first_byte) / 2) or first_byte
end
redis.call('HSET', state, 'extra', string.format('%d', extra), 'latency', string.format('%d', math.min(latency or 0, most)),
    'slowed', string.format('%d', slowed), 'next', string.format('%d', next_start))
if redis.call('PTTL', state) < 3600000 then
    redis.call('PEXPIRE', state, 7200000)
end
return extra
