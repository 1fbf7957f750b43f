-- The state of a job by where its id is. Cheap places first: sorted sets by score, then the short list `active`, then the
-- waiting lists, which are O(n). An id is in one place only, so the order does not change the answer.
local function state_of(base, id)
    for _, state in ipairs({ 'completed', 'failed', 'delayed', 'prioritized', 'waiting-children' }) do
        if call('ZSCORE', base .. state, id) then return state end
    end
    if call('LPOS', base .. 'active', id) then return 'active' end
    local group = call('HGET', base .. id, 'gid')
    if group and call('ZSCORE', base .. 'group:' .. group .. ':wait', id) then return 'waiting' end
    if call('LPOS', base .. 'wait', id) or call('LPOS', base .. 'paused', id) then return 'waiting' end
    return 'unknown'
end
