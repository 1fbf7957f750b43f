-- Command with any number of members, in portions that fit Lua's stack; an even number each, for pairs.
local function in_portions(command, key, members)
    for from = 1, #members, 6000 do call(command, key, unpack(members, from, math.min(from + 5999, #members))) end
end
