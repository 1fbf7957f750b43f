#pragma once
#include <tiktrend/catalog/scrape_run.hpp>
#include <tiktrend/sources/definition.hpp>
#include <tiktrend/sources/input.hpp>

#include <string>

namespace tiktrend::worker {

/// What to scrape, checked.
struct scrape_order {
    sources::definition_ptr source; ///< this version, whatever becomes the current one meanwhile
    sources::input_values inputs;
    catalog::run_key run;
    std::string request_id; ///< handed on to jobs that this one makes
    std::string owner;
    std::string crawl; ///< the job that the chain of links began with
    int depth = 0;     ///< links from there
};

} // namespace tiktrend::worker
