#pragma once
#include "../crawl/pager.hpp"

namespace tiktrend::worker {

/// The job `scrape_products`: every page of a source into the product table. Its return value is
/// scrape_report::result_json(). May run any number of times for one job: the ledger resumes it at the page
/// after the last one committed, and a job whose effect is complete only reports it.
class scrape_products {
public:
    static constexpr std::string_view name = "scrape_products";

    explicit scrape_products(scrape_services& services) : services_{services} {}

    task<std::string> operator()(queue::active_job& job) const;

private:
    scrape_order order_for(const queue::active_job& job) const;
    task<void> close_run(const catalog::run_key& run, std::exception_ptr why) const;

    scrape_services& services_;
};

} // namespace tiktrend::worker
