--[[
Of n deduplication ids, frees those whose owner is gone, with what was set aside for later. Invariant: an id that names a job
stays.

KEYS[1]   text  key base `<prefix>:<queue>:`
ARGV[1…]  text  deduplication ids, at most 1000
Returns   number freed
Events    none
BullMQ    none: its obliterate leaves them
--]]
local base = KEYS[1]
local ids = ARGV
local call = redis.call

local freed = 0
for _, id in ipairs(ids) do
    local owner = call('GET', base .. 'de:' .. id)
    if not owner or call('EXISTS', base .. owner) == 0 then
        if call('DEL', base .. 'de:' .. id, base .. 'dn:' .. id) > 0 then freed = freed + 1 end
    end
end
return freed
