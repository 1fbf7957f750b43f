-- Reads of one kind (BENCH_KIND) that nobody has asked for before, from a seed (BENCH_SEED): both sides get the same, each round
-- others, so that no cache answers. With BENCH_RATE the connections (BENCH_CONNECTIONS) pause between requests for that rate in
-- all, at random times as independent people would.
dofile(os.getenv("BENCH_WRK") .. "/report.lua")

local kind = os.getenv("BENCH_KIND")
local products = tonumber(os.getenv("BENCH_PRODUCTS"))
local rate = tonumber(os.getenv("BENCH_RATE") or "0")
local connections = tonumber(os.getenv("BENCH_CONNECTIONS"))
math.randomseed(tonumber(os.getenv("BENCH_SEED")))

local words = {}
for word in io.lines(os.getenv("BENCH_WORDS")) do words[#words + 1] = word end
-- People search for common words more often than for rare ones.
local function word() return words[1 + math.floor(#words * math.random() ^ 2)] end
local function price(most) return string.format("%.2f", math.random() * most) end

local paths = {
    pk = function() return "/products/" .. math.random(products) end,
    text = function()
        local q = word()
        if math.random() < 0.5 then q = q .. "+" .. word() end
        return "/products?limit=20&q=" .. q .. "&price_min=" .. price(1)
    end,
    filter = function()
        local way = math.random(4)
        if way == 1 then return "/products?limit=20&source=shop" .. math.random(0, 39) .. ".example&price_min=" .. price(20) .. "&sort=price" end
        if way == 2 then return "/products?limit=20&category_id=" .. math.random(200) .. "&price_min=" .. price(5) .. "&price_max=" .. (100 + math.random(100)) end
        if way == 3 then return "/products?limit=20&currency=USD&trending=true&price_min=" .. price(20) end
        return "/products?limit=20&active=true&price_min=" .. price(50) .. "&sort=sales_7d"
    end,
}
local path = paths[kind]

function request() return wrk.format("GET", path()) end

if rate > 0 then
    local mean_ms = 1000 * connections / rate
    function delay() return math.floor(-math.log(1 - math.random()) * mean_ms + 0.5) end
end
