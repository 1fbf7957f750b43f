--@include "marker"
--@include "groups"
--@include "job_keys"

-- Steps that most calls do without. They are made when the first job needs one: making a function costs a call about as much as
-- a small command does.
local seldom_steps
local function seldom()
    if seldom_steps then return seldom_steps end
--@include "places"
--@include "promote_due"
--@include "deduplication"
--@include "parents"
    seldom_steps = {
        push_delayed = push_delayed, push_prioritized = push_prioritized, promote_due = promote_due,
        free_deduplication_id = free_deduplication_id, requeue_set_aside = requeue_set_aside,
        deliver_to_parent = deliver_to_parent, fail_to_parent = fail_to_parent, unlink_child = unlink_child,
    }
    return seldom_steps
end
