--[[
One page of the keys under a pattern. A script, because it runs where the queue is: on a Cluster a plain SCAN would look at any
node. Writes nothing.

KEYS[1]  text  key base `<prefix>:<queue>:`, only to say which node
ARGV[1]  text  cursor ("0": the beginning)
ARGV[2]  text  pattern of whole keys
ARGV[3]  int   keys to look at, about
Returns  [ next cursor ("0": the end), keys ]
Events   none
Cost     O(keys looked at)
BullMQ   none: its removeOrphanedJobs scans from the client
--]]
local base = KEYS[1]
local cursor, pattern, count = ARGV[1], ARGV[2], ARGV[3]
local call = redis.call

return call('SCAN', cursor, 'MATCH', pattern, 'COUNT', count)
