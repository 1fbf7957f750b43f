--@include "groups"
--@include "marker"
--@include "places"

-- Puts a job that may run now where its group, or else its priority, says. The caller wakes workers (wake_ready). O(log n).
local function push_ready(base, id, job)
    if job.group then
        groups().push(base, job.group, id, job.group_priority, job.at_front)
    elseif job.priority == 0 then
        call(job.at_front and 'RPUSH' or 'LPUSH', base .. 'wait', id)
    else
        push_prioritized(base, id, job.priority)
    end
end

local function wake_ready(base, settings)
    wake(base, settings)
    if has_groups(base) then groups().wake(base, settings) end
end
