--@include "job_keys"
--@include "store"

-- Makes `id` the owner of a deduplication id. rule: ttl (ms) and keepLastIfActive, as the job's options have them.
local function own_deduplication_id(key, id, rule)
    local ttl = tonumber(rule.ttl) or 0
    if ttl > 0 and not rule.keepLastIfActive then
        call('SET', key, id, 'PX', ttl)
    else
        call('SET', key, id)
    end
end

-- The owner of a deduplication id has finished: the id becomes free, unless a time to live still throttles it.
local function free_deduplication_id(base, deduplication_id, id)
    local key = base .. 'de:' .. deduplication_id
    local ttl = call('PTTL', key)
    if ttl == 0 or (ttl == -1 and call('GET', key) == id) then call('DEL', key) end
end

-- While the owner was active a newer job may have been set aside (keepLastIfActive). It is created now and owns the id, unless its id
-- was given to another job meanwhile, which is left alone.
-- Events: as store_and_enqueue; duplicated.
local function requeue_set_aside(base, settings, deduplication_id, now)
    local aside = base .. 'dn:' .. deduplication_id
    local f = call('HMGET', aside, 'name', 'data', 'opts', 'jid', 'pk', 'pd', 'pdk', 'rjk')
    if not f[1] then return end
    if f[4] and call('EXISTS', base .. f[4]) == 1 then
        call('XADD', base .. 'events', 'MAXLEN', '~', events_length(base, settings), '*', 'event', 'duplicated', 'jobId', f[4])
        call('DEL', aside)
        return
    end
    local opts = cjson.decode(f[3])
    local number = call('INCR', base .. 'id')
    local id = f[4] or string.format('%.0f', number)
    own_deduplication_id(base .. 'de:' .. deduplication_id, id, type(opts.de) == 'table' and opts.de or {})
    local extra = { 'deid', deduplication_id }
    for i, field in ipairs({ 'parentKey', 'parent', '', 'rjk' }) do
        local value = f[4 + i]
        if field ~= '' and value then
            extra[#extra + 1] = field
            extra[#extra + 1] = value
        end
    end
    local job = {
        name = f[1], data = f[2] or '{}', opts = f[3], timestamp = now,
        delay = tonumber(opts.delay) or 0, priority = tonumber(opts.priority) or 0, lifo = opts.lifo,
        group = type(opts.group) == 'table' and opts.group or nil,
    }
    store_and_enqueue(base, settings, id, job, extra)
    if f[7] then call('SADD', f[7], base .. id) end
    call('DEL', aside)
end

-- The job is removed: its deduplication id goes with it, and so does what was set aside for later.
local function forget_deduplication_id(base, deduplication_id, id)
    local key = base .. 'de:' .. deduplication_id
    if call('GET', key) == id then call('DEL', key, base .. 'dn:' .. deduplication_id) end
end
