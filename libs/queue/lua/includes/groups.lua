--@include "settings"

-- Groups of jobs: their keys, and how a group moves between them. Keys beside those of BullMQ, which other clients never touch:
--   groups                 zset  groups that can give a job, by turn (the lowest is next)
--   groups:limited         zset  groups over their rate limit, by the time when it ends (ms)
--   groups:maxed           zset  groups with all their slots in use, by turn
--   groups:paused          zset  paused groups, by the time of pausing (ms)
--   groups:active          hash  id of an active job -> its group
--   groups:waiting         text  number of jobs that wait in groups
--   groups:turn            text  counter of turns; it exists once the queue has had a group
--   groups:marker          zset  as `marker`, for workers that know groups
--   group:<group>:wait     zset  ids, by priority * 2^32 + 2^31 + order
--   group:<group>:active   set   ids
--   group:<group>:limiter  text  starts in this window, expires with it
--   group:<group>:settings hash  concurrency, max, duration (ms)
-- Invariants: a group is in at most one of the first four; in one of them if it has a waiting job; a waiting job of a group is in
-- its `wait` and nowhere else. The job's hash names its group (`gid`) and its priority there (`gpr`).
local MANUAL_LIMIT = 9007199254740991

local function has_groups(base)
    return call('EXISTS', base .. 'groups:turn') == 1
end

local function group_key(base, group, suffix)
    return base .. 'group:' .. group .. ':' .. suffix
end

local function wake_for_groups(base, settings)
    if is_closed(base, settings) then return end
    if call('EXISTS', base .. 'groups') == 1 then call('ZADD', base .. 'groups:marker', 0, '0') end
end

-- A group that has a waiting job can give one, unless it is paused, limited or maxed already. O(log n).
local function offer_group(base, group)
    for _, elsewhere in ipairs({ 'groups:paused', 'groups:limited', 'groups:maxed' }) do
        if call('ZSCORE', base .. elsewhere, group) then return end
    end
    call('ZADD', base .. 'groups', 'NX', call('INCR', base .. 'groups:turn'), group)
end

-- `at_front`: before the others of its priority. The caller wakes a worker.
local function push_to_group(base, group, id, priority, at_front)
    local order = call('INCR', base .. 'groups:turn') % 2147483648
    local score = (tonumber(priority) or 0) * 4294967296 + 2147483648 + (at_front and -order or order)
    if call('ZADD', group_key(base, group, 'wait'), 'NX', score, id) == 1 then
        call('INCR', base .. 'groups:waiting')
    end
    offer_group(base, group)
end

-- Takes a waiting job out of its group; false if it is not there.
local function pull_from_group(base, group, id)
    if call('ZREM', group_key(base, group, 'wait'), id) == 0 then return false end
    call('DECR', base .. 'groups:waiting')
    if call('EXISTS', group_key(base, group, 'wait')) == 0 then
        for _, place in ipairs({ 'groups', 'groups:limited', 'groups:maxed' }) do call('ZREM', base .. place, group) end
    end
    return true
end

local function enter_group(base, group, id)
    call('HSET', base .. 'groups:active', id, group)
    call('SADD', group_key(base, group, 'active'), id)
end

-- The job is not active any more: its group may have a free slot. The group, or false.
local function leave_group(base, id)
    local group = call('HGET', base .. 'groups:active', id)
    if not group then return false end
    call('HDEL', base .. 'groups:active', id)
    call('SREM', group_key(base, group, 'active'), id)
    if call('ZREM', base .. 'groups:maxed', group) == 1 then
        offer_group(base, group)
        wake_for_groups(base, read_settings(base))
    end
    return group
end

-- Forgets active jobs of the group that another client has ended without knowing of groups. O(slots of the group).
local function forget_gone(base, group)
    for _, id in ipairs(call('SMEMBERS', group_key(base, group, 'active'))) do
        if call('EXISTS', base .. id .. ':lock') == 0 and not call('LPOS', base .. 'active', id) then
            call('SREM', group_key(base, group, 'active'), id)
            call('HDEL', base .. 'groups:active', id)
        end
    end
end

-- Where the group belongs now; puts it there. True if it can give a job. limits: concurrency, max, duration of all groups.
local function place_group(base, group, limits, now)
    local own = call('HMGET', group_key(base, group, 'settings'), 'concurrency', 'max')
    call('ZREM', base .. 'groups', group)
    if call('EXISTS', group_key(base, group, 'wait')) == 0 then return false end
    local slots = tonumber(own[1]) or limits.concurrency
    if slots and call('SCARD', group_key(base, group, 'active')) >= slots then
        forget_gone(base, group)
        if call('SCARD', group_key(base, group, 'active')) >= slots then
            call('ZADD', base .. 'groups:maxed', call('INCR', base .. 'groups:turn'), group)
            return false
        end
    end
    local used = tonumber(call('GET', group_key(base, group, 'limiter')))
    if used and used >= (tonumber(own[2]) or limits.max or MANUAL_LIMIT) then
        local ttl = call('PTTL', group_key(base, group, 'limiter'))
        if ttl > 0 then
            call('ZADD', base .. 'groups:limited', now + ttl, group)
            return false
        end
    end
    call('ZADD', base .. 'groups', call('INCR', base .. 'groups:turn'), group)
    return true
end

-- A job of the group starts: it counts in the group's window if a rate limit is known.
local function count_in_group(base, group, limits)
    local own = call('HMGET', group_key(base, group, 'settings'), 'max', 'duration')
    if not (own[1] or limits.max) then return end
    local key = group_key(base, group, 'limiter')
    local duration = tonumber(own[2]) or limits.duration
    if call('INCR', key) == 1 and duration then call('PEXPIRE', key, duration) end
end

-- Groups whose rate limit has ended can give jobs again. The time when the next one ends, or nil. O(log n) per group.
local function end_group_limits(base, now)
    for _, group in ipairs(call('ZRANGEBYSCORE', base .. 'groups:limited', '-inf', now, 'LIMIT', 0, 1000)) do
        call('ZREM', base .. 'groups:limited', group)
        call('ZADD', base .. 'groups', call('INCR', base .. 'groups:turn'), group)
    end
    return tonumber(call('ZRANGE', base .. 'groups:limited', 0, 0, 'WITHSCORES')[2])
end
