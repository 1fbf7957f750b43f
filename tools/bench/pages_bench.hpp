#pragma once
#include "benches.hpp"

#include <tiktrend/testing/line_peer.hpp>

namespace tiktrend::bench {

/// Thousands of pages from nginx by 10, 50 and 200 jobs at once, as JSON and as web pages with JSON-LD: all
/// products new, none changed, 5 % changed. Nothing if tools/bench/run could not start nginx (MANY_PAGES is
/// 0). Besides what run_scrape_bench() needs: MANY_PAGES, PAGES_PORT, PAGES_DIR, POSTGRES_PID.
std::vector<row> measure_pages(const settings& s, pid_t worker, testing::line_peer& node,
                               const std::string& peer);

} // namespace tiktrend::bench
