dofile(os.getenv("BENCH_WRK") .. "/report.lua")
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = os.getenv("START_BODY")
