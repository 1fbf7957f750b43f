-- Gives leave to send one request to a host, if its rules allow one now. Keeps true for all workers together: never more
-- leases than `concurrency`, never two starts closer than the delay, no start during a pause.
--
-- KEYS[1] hash    state of the host: paused, next (ms by the server's clock), extra, latency, slowed (ms)
-- KEYS[2] zset    leases: token, score = when it ends by itself (ms by the server's clock)
-- ARGV[1] string  token of the lease, unique
-- ARGV[2] int     delay between two starts, ms; 0 switches the adaptive part off too
-- ARGV[3] int     the delay's random factor, per mille (800 .. 1200)
-- ARGV[4] int     leases at once
-- ARGV[5] int     a lease ends after so many ms if nobody gives it back
-- Returns {1, 0}: granted; {0, ms}: ask again after so many ms; {-1, 0}: every lease is taken
-- Reads the server's clock: the rule is one of real time, and the workers' clocks differ.

local state, leases = KEYS[1], KEYS[2]
local token, delay, factor, concurrency, lease_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local paused, next_start, extra, latency = unpack(redis.call('HMGET', state, 'paused', 'next', 'extra', 'latency'))
local ready = math.max(tonumber(paused) or 0, tonumber(next_start) or 0)
if ready > now then
    return {0, ready - now}
end
redis.call('ZREMRANGEBYSCORE', leases, '-inf', now)
if redis.call('ZCARD', leases) >= concurrency then
    return {-1, 0}
end

local distance = 0
if delay > 0 then
    distance = math.max(delay, tonumber(extra) or 0, (tonumber(latency) or 0) / concurrency)
end
redis.call('ZADD', leases, now + lease_ms, token)
redis.call('PEXPIRE', leases, lease_ms + 1000)
redis.call('HSET', state, 'next', string.format('%d', now + math.floor(distance * factor / 1000)))
-- Long enough for what was learnt about the host; never shorter than a pause that is set.
if redis.call('PTTL', state) < 3600000 then
    redis.call('PEXPIRE', state, 7200000)
end
return {1, 0}
