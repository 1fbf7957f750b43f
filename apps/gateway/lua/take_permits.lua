-- Takes permits of one rate limit: the generic cell rate algorithm (ITU-T I.371, appendix I), with the whole quota as burst and
-- even refilling. Invariant: the permits taken in any stretch of time t never exceed quota * (1 + t / window). The clock is this
-- server's, since gateways whose clocks differ would each grant the difference again.
--
-- KEYS[1] when the limit will be full again  string, Unix time in microseconds
-- ARGV[1] quota, permits a window
-- ARGV[2] window                             µs
-- ARGV[3] permits wanted; 0: only look
--
-- Returns {granted, left, ms until the limit is full, ms until one more permit (0: there is one)}. O(1).
local key = KEYS[1]
local quota, window, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local step = window / quota
local full_at = tonumber(redis.call('GET', key) or now)
if full_at < now then
    full_at = now
end
-- A fixed quota must not lose a permit to the rounding of sums of steps.
local left = math.floor((window - (full_at - now)) / step + 0.0001)
local granted = math.max(math.min(wanted, left), 0)
if granted > 0 then
    full_at = full_at + granted * step
    left = left - granted
    redis.call('SET', key, string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000) + 1)
end
local wait = 0
if left < 1 then
    wait = math.ceil((full_at + step - now - window) / 1000)
end
return {granted, math.max(left, 0), math.ceil((full_at - now) / 1000), math.max(wait, 0)}
