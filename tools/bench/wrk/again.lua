-- The same page again; with BENCH_ETAG by somebody who has it (304).
dofile(os.getenv("BENCH_WRK") .. "/report.lua")
local etag = os.getenv("BENCH_ETAG")
if etag and etag ~= "" then wrk.headers["If-None-Match"] = etag end
