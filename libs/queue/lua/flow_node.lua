--[[
Reads a job with the keys of its children, as far as asked.

KEYS[1]  text  key base `<prefix>:<queue>:`
ARGV[1]  text  id
ARGV[2]  int   children of each kind at most
Returns  [ state, fields and values, processed, unprocessed, failed, ignored children (full job keys each) ]; no fields: no such job
Events   none
Cost     O(children asked for)
BullMQ   6.7: what FlowProducer.getFlow asks for in several calls
--]]
local base = KEYS[1]
local id, most = ARGV[1], tonumber(ARGV[2])
local call = redis.call
--@include "state"

local key = base .. id
local function first_of(list, step)
    local out = {}
    for i = 1, math.min(#list, most * step), step do out[#out + 1] = list[i] end
    return out
end
local job = call('HGETALL', key)
if #job == 0 then return { 'unknown', job, {}, {}, {}, {} } end
return {
    state_of(base, id), job,
    first_of(call('HSCAN', key .. ':processed', 0, 'COUNT', most)[2], 2),
    first_of(call('SSCAN', key .. ':dependencies', 0, 'COUNT', most)[2], 1),
    call('ZRANGE', key .. ':unsuccessful', 0, most - 1),
    first_of(call('HSCAN', key .. ':failed', 0, 'COUNT', most)[2], 2),
}
