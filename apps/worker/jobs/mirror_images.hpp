#pragma once
#include "../crawl/scrape_services.hpp"
#include "image_order.hpp"
#include "job_names.hpp"

#include <tiktrend/catalog/image_store.hpp>
#include <tiktrend/fetch/s3_client.hpp>
#include <tiktrend/queue/worker.hpp>

namespace tiktrend::worker {

/// The job `mirror_images`: copies of product images into S3-compatible storage, under names made of their
/// content, so that one image is stored once and can be cached for ever. Its return value counts what came of
/// each: {"mirrored", "present", "refused", "failed"}; "skipped" when no storage is configured. A refusal (no
/// image, too large, too many pixels, not to be had) is an answer; when the storage or the network failed for
/// any of them the attempt fails, and the next one tries those alone. A host that asks for patience (429,
/// Retry-After) gets it: the job is delayed with what is left of it.
class mirror_images {
public:
    static constexpr std::string_view name = mirror_images_name;

    /// `storage` may be null: not configured. References must outlive the job.
    mirror_images(scrape_services& services, fetch::s3_client* storage, catalog::image_store& images)
        : services_{services}, storage_{storage}, images_{images} {}

    task<std::string> operator()(queue::active_job& job) const;

private:
    enum class fate { mirrored, present, refused, failed };
    struct copy {
        fate what = fate::failed;
        std::string name;    ///< in the bucket
        std::string trouble; ///< for the log
    };
    /// The host that may be asked at present, and the leave to.
    struct turn {
        std::string host;
        std::optional<host_permit> permit;
    };
    task<result<host_rules, std::string>> rules_for(const queue::active_job& job,
                                                    const fetch::url& where) const;
    task<std::string> take_turn(const queue::active_job& job, turn& t, const fetch::url& where) const;
    task<bool> may_follow(const queue::active_job& job, turn& t, const fetch::url& next) const;
    void leave_alone(const queue::active_job& job, const std::string& host,
                     const fetch::response& answer) const;
    task<void> keep(queue::active_job& job, const image_order& left) const;
    task<copy> mirror(const queue::active_job& job, const std::string& url) const;
    task<result<std::string, copy>> download(const queue::active_job& job, const std::string& url) const;

    scrape_services& services_;
    fetch::s3_client* storage_;
    catalog::image_store& images_;
};

} // namespace tiktrend::worker
