--@include "deduplication"
--@include "job_keys"
--@include "marker"
--@include "places"

-- Decides whether a job with a deduplication id is added. nil: yes, and it owns the id now; otherwise the id of the job that
-- stands in its way, and the new one is suppressed.
-- rule: the option `deduplication` as JSON has it (id, ttl, extend, replace, reschedule, keepLastIfActive), and `debounced`: emit
-- version 5's event too. job: id, name, data, opts, timestamp, delay (texts).
-- Events: deduplicated, removed (replace), delayed (reschedule). O(log n); keepLastIfActive: O(length of `active`).
local function deduplicate(base, max_events, rule, job)
    local key = base .. 'de:' .. rule.id
    local aside = base .. 'dn:' .. rule.id
    local events = base .. 'events'
    local owner = call('GET', key)
    if not owner then
        own_deduplication_id(key, job.id, rule)
        return nil
    end

    local function tell(id, other)
        if rule.debounced then call('XADD', events, '*', 'event', 'debounced', 'jobId', id, 'debounceId', rule.id) end
        call('XADD', events, 'MAXLEN', '~', max_events, '*', 'event', 'deduplicated', 'jobId', id,
             'deduplicationId', rule.id, 'deduplicatedJobId', other)
    end

    if rule.replace and call('ZREM', base .. 'delayed', owner) == 1 then
        local keys = {}
        append_job_keys(keys, base .. owner)
        delete_keys(keys)
        call('XADD', events, '*', 'event', 'removed', 'jobId', owner, 'prev', 'delayed')
        tell(job.id, owner) -- the other way round than below, as all clients know it
        call('DEL', aside)
        if (rule.ttl or 0) > 0 and not rule.extend and not rule.keepLastIfActive then
            call('SET', key, job.id, 'KEEPTTL')
        else
            own_deduplication_id(key, job.id, rule)
        end
        return nil
    end

    -- Without a time to live the id should have been freed with its owner; an owner without a hash was lost.
    if call('PTTL', key) == -1 and call('EXISTS', base .. owner) == 0 then
        call('DEL', aside)
        own_deduplication_id(key, job.id, rule)
        return nil
    end

    if rule.keepLastIfActive and call('LPOS', base .. 'active', owner) then
        call('DEL', aside)
        call('HSET', aside, 'name', job.name, 'data', job.data, 'opts', job.opts, 'jid', job.id)
        call('PERSIST', key)
        tell(owner, job.id)
        return owner
    end
    if rule.replace then return owner end -- no longer delayed: suppressed without an event, as everywhere

    if rule.extend and (rule.ttl or 0) > 0 then own_deduplication_id(key, owner, rule) end
    tell(owner, job.id)
    if rule.reschedule and call('ZSCORE', base .. 'delayed', owner) then
        call('HSET', base .. owner, 'delay', job.delay)
        push_delayed(base, owner, job.timestamp + job.delay, max_events)
        wake_at_next_delayed(base)
    end
    return owner
end
