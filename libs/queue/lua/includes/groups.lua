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
--   groups:concurrency     hash  group -> its own concurrency
--   groups:max             hash  group -> its own starts per window
--   groups:duration        hash  group -> its own window, ms
--   group:<group>:wait     zset  ids, by priority * 2^32 + 2^31 + order
--   group:<group>:active   set   ids
--   group:<group>:limiter  text  starts in this window, expires with it
-- Invariants: a group is in at most one of the first four, and in one of them if it has a waiting job; a waiting job of a group is
-- in its `wait` and nowhere else. The job's hash names its group (`gid`) and its priority there (`gpr`).

local function has_groups(base)
    return call('EXISTS', base .. 'groups:turn') == 1
end

-- The steps below, made when a queue has groups: making functions that nobody calls would cost every other queue time.
local group_steps
local function groups()
    if group_steps then return group_steps end
    local steps = {}
    local MANUAL_LIMIT = 9007199254740991
    local PLACES = { 'groups', 'groups:limited', 'groups:maxed', 'groups:paused' }
    steps.places = PLACES

    local function key_of(base, group, suffix)
        return base .. 'group:' .. group .. ':' .. suffix
    end
    steps.key = key_of

    -- Behind the other groups.
    local function to_ring(base, group)
        call('ZADD', base .. 'groups', 'NX', call('INCR', base .. 'groups:turn'), group)
    end

    function steps.wake(base, settings)
        if is_closed(base, settings) then return end
        if call('EXISTS', base .. 'groups') == 1 then call('ZADD', base .. 'groups:marker', 0, '0') end
    end

    -- A group that has a waiting job can give one, unless it is paused, limited or maxed already. O(log n).
    function steps.offer(base, group)
        for i = 2, #PLACES do
            if call('ZSCORE', base .. PLACES[i], group) then return end
        end
        to_ring(base, group)
    end

    -- `at_front`: before the others of its priority. The caller wakes a worker.
    function steps.push(base, group, id, priority, at_front)
        local order = call('INCR', base .. 'groups:turn') % 2147483648
        local score = (tonumber(priority) or 0) * 4294967296 + 2147483648 + (at_front and -order or order)
        if call('ZADD', key_of(base, group, 'wait'), 'NX', score, id) == 1 then call('INCR', base .. 'groups:waiting') end
        steps.offer(base, group)
    end

    -- Takes a waiting job out of its group; false if it is not there.
    function steps.pull(base, group, id)
        if call('ZREM', key_of(base, group, 'wait'), id) == 0 then return false end
        call('DECR', base .. 'groups:waiting')
        if call('EXISTS', key_of(base, group, 'wait')) == 0 then
            for i = 1, 3 do call('ZREM', base .. PLACES[i], group) end -- a paused group stays paused
        end
        return true
    end

    -- The job is not active any more: its group may have a free slot. The group, or false.
    function steps.leave(base, id)
        local group = call('HGET', base .. 'groups:active', id)
        if not group then return false end
        call('HDEL', base .. 'groups:active', id)
        call('SREM', key_of(base, group, 'active'), id)
        if call('ZREM', base .. 'groups:maxed', group) == 1 then
            steps.offer(base, group)
            steps.wake(base, read_settings(base))
        end
        return group
    end

    -- Forgets active jobs of the group that another client has ended without knowing of groups. O(slots of the group).
    local function forget_gone(base, group)
        for _, id in ipairs(call('SMEMBERS', key_of(base, group, 'active'))) do
            if call('EXISTS', base .. id .. ':lock') == 0 and not call('LPOS', base .. 'active', id) then
                call('SREM', key_of(base, group, 'active'), id)
                call('HDEL', base .. 'groups:active', id)
            end
        end
    end

    -- The first of the groups with all their slots in use, taken out of them for place() to judge anew; nil if there is none.
    function steps.first_maxed(base)
        return call('ZPOPMIN', base .. 'groups:maxed')[1]
    end

    -- Offers those groups again of whose slots one was freed by a client that does not know groups; true if there are any.
    -- O(groups + their slots).
    function steps.free_maxed(base)
        local any = false
        for _, group in ipairs(call('ZRANGE', base .. 'groups:maxed', 0, 999)) do
            local before = call('SCARD', key_of(base, group, 'active'))
            forget_gone(base, group)
            if call('SCARD', key_of(base, group, 'active')) < before then
                call('ZREM', base .. 'groups:maxed', group)
                to_ring(base, group)
                any = true
            end
        end
        return any
    end

    -- Where the group belongs now; puts it there. True if it can give a job. limits: concurrency, max, duration of all groups.
    function steps.place(base, group, limits, now)
        call('ZREM', base .. 'groups', group)
        if call('EXISTS', key_of(base, group, 'wait')) == 0 then return false end
        local slots = tonumber(call('HGET', base .. 'groups:concurrency', group)) or limits.concurrency
        if slots and call('SCARD', key_of(base, group, 'active')) >= slots then
            forget_gone(base, group)
            if call('SCARD', key_of(base, group, 'active')) >= slots then
                call('ZADD', base .. 'groups:maxed', call('INCR', base .. 'groups:turn'), group)
                return false
            end
        end
        local used = tonumber(call('GET', key_of(base, group, 'limiter')))
        if used and used >= (tonumber(call('HGET', base .. 'groups:max', group)) or limits.max or MANUAL_LIMIT) then
            local ttl = call('PTTL', key_of(base, group, 'limiter'))
            local window = tonumber(call('HGET', base .. 'groups:duration', group)) or limits.duration
            if ttl == -1 and window then -- left by a worker that knew no window
                ttl = window
                call('PEXPIRE', key_of(base, group, 'limiter'), window)
            end
            if ttl > 0 then
                call('ZADD', base .. 'groups:limited', now + ttl, group)
                return false
            end
        end
        to_ring(base, group)
        return true
    end

    -- A job of the group starts. It counts in the group's window, if a rate limit is known, unless `is_free`.
    function steps.enter(base, group, id, limits, is_free)
        call('HSET', base .. 'groups:active', id, group)
        call('SADD', key_of(base, group, 'active'), id)
        if is_free or not (limits.max or call('HEXISTS', base .. 'groups:max', group) == 1) then return end
        local key = key_of(base, group, 'limiter')
        local duration = tonumber(call('HGET', base .. 'groups:duration', group)) or limits.duration
        if call('INCR', key) == 1 and duration then call('PEXPIRE', key, duration) end
    end

    -- Groups whose rate limit has ended can give jobs again. O(log n) per group.
    function steps.end_limits(base, now)
        for _, group in ipairs(call('ZRANGEBYSCORE', base .. 'groups:limited', '-inf', now, 'LIMIT', 0, 1000)) do
            call('ZREM', base .. 'groups:limited', group)
            to_ring(base, group)
        end
    end

    -- Every group that is anywhere, without order.
    function steps.all(base)
        local all = {}
        for _, place in ipairs(PLACES) do
            for _, group in ipairs(call('ZRANGE', base .. place, 0, -1)) do all[#all + 1] = group end
        end
        return all
    end

    group_steps = steps
    return steps
end
