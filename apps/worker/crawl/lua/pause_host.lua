-- Nobody asks the host for a while. Never shortens a pause.
--
-- KEYS[1] hash    state of the host, see lease_host.lua
-- ARGV[1] int     for how long, ms
-- Returns the end of the pause, ms by the server's clock

local state = KEYS[1]
local duration = tonumber(ARGV[1])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local till = math.max(now + duration, tonumber(redis.call('HGET', state, 'paused')) or 0)
redis.call('HSET', state, 'paused', string.format('%d', till))
if redis.call('PTTL', state) < till - now + 3600000 then
    redis.call('PEXPIRE', state, till - now + 7200000)
end
return till
