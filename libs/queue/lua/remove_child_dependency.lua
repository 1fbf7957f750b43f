--[[
Cuts a child from its parent. Invariants: both sides forget the link, or neither; a parent that waited for nothing else runs.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id of the child
ARGV[2]  int   now, ms
Returns  0 done, 1 the parent does not wait for it (or there is no parent), -1 no hash, -5 the parent has no hash
Events   on the parent's queue: waiting (prev=waiting-children) or delayed, if it runs
BullMQ   6.7: removeChildDependency-1
--]]
local base = KEYS[1]
local id, now = ARGV[1], tonumber(ARGV[2])
local call = redis.call
--@include "parents"

local key = base .. id
if call('EXISTS', key) == 0 then return -1 end
local parent_key = call('HGET', key, 'parentKey')
if not parent_key then return 1 end
if call('EXISTS', parent_key) == 0 then return -5 end
if call('SISMEMBER', parent_key .. ':dependencies', key) == 0 then return 1 end
unlink_child(key, parent_key, now)
call('HDEL', key, 'parentKey', 'parent')
return 0
