#pragma once
#include "../crawl/pager.hpp"
#include "job_data.hpp"
#include "job_names.hpp"
#include "schedule_quota.hpp"

namespace tiktrend::worker {

/// The job `scrape_products`: every page of a source into the product table. Its return value is
/// scrape_report::result_json(). May run any number of times for one job: the ledger resumes it at the page
/// after the last one committed, and a job whose effect is complete only reports it.
class scrape_products {
public:
    static constexpr std::string_view name = scrape_products_name;

    scrape_products(asio::any_io_executor executor, scrape_services& services, schedule_quota& quota)
        : services_{services}, quota_{quota},
          room_{std::make_shared<page_room>(std::move(executor),
                                            pages_by_connection * services.settings.database_pool_size)} {}

    task<std::string> operator()(queue::active_job& job) const;

private:
    task<sources::chosen_source> choose(const job_data& data) const;
    task<scrape_order> order_for(const queue::active_job& job, const job_data& data) const;
    task<void> count_if_scheduled(const queue::active_job& job, const job_data& data,
                                  const scrape_order& order) const;
    task<void> compare_with_before(const scrape_order& order, scrape_report& report) const;
    task<std::string> end_after_images(queue::active_job& job, job_data data, std::string report) const;
    task<void> close_run(const catalog::run_key& run, std::exception_ptr why) const;

    /// Enough that a connection to the database always finds the next page.
    static constexpr std::size_t pages_by_connection = 4;

    scrape_services& services_;
    schedule_quota& quota_;
    std::shared_ptr<page_room> room_;
};

} // namespace tiktrend::worker
