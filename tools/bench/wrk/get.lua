dofile(os.getenv("BENCH_WRK") .. "/report.lua")
