--[[
Groups at one moment. A group that does not wait, is not paused and has no active job is not kept anywhere.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  waiting, limited, maxed or paused: which groups; empty: none, only the counts
ARGV[2]  int   first, from 0, by turn (limited: by the end of the limit; paused: by the time of pausing)
ARGV[3]  int   last, -1: all
Returns  [ [waiting, limited, maxed, paused groups, jobs that wait in groups], [group, its waiting, its active jobs, …] ]
Events   none
Cost     O(log n + groups asked for)
BullMQ   none; Pro: getGroups, getGroupsByStatus, getGroupsCountByStatus, getGroupsJobsCount
--]]
local base = KEYS[1]
local status, first, last = ARGV[1], ARGV[2], ARGV[3]
local call = redis.call
--@include "groups"

local places = { waiting = 'groups', limited = 'groups:limited', maxed = 'groups:maxed', paused = 'groups:paused' }
local counts = {
    call('ZCARD', base .. places.waiting),
    call('ZCARD', base .. places.limited),
    call('ZCARD', base .. places.maxed),
    call('ZCARD', base .. places.paused),
    tonumber(call('GET', base .. 'groups:waiting')) or 0,
}
local list = {}
if places[status] then
    for _, group in ipairs(call('ZRANGE', base .. places[status], first, last)) do
        list[#list + 1] = group
        list[#list + 1] = call('ZCARD', groups().key(base, group, 'wait'))
        list[#list + 1] = call('SCARD', groups().key(base, group, 'active'))
    end
end
return { counts, list }
