#include "image_jobs.hpp"

#include "../jobs/image_order.hpp"
#include "../jobs/job_names.hpp"

#include <tiktrend/catalog/digest.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace tiktrend::worker {
namespace {

using namespace std::chrono_literals;

constexpr std::int32_t priority_of_images = 30;
constexpr std::int32_t attempts_of_images = 3;

} // namespace

std::vector<queue::new_job> image_jobs(const catalog::scraped_page& page,
                                       std::span<const catalog::changed_product> changed,
                                       const scrape_order& order, const queue::queue& jobs) {
    std::unordered_map<std::string_view, const std::string*> urls; // by external id; one page has one source
    for (const auto& p : page.products)
        if (p.image_url) urls.emplace(p.external_id, &*p.image_url);
    image_order images;
    images.source = order.source->id;
    for (const auto& c : changed)
        if (c.needs_image)
            if (const auto at = urls.find(c.external_id); at != urls.end())
                images.items.push_back({c.id, *at->second});

    std::vector<queue::new_job> out;
    const auto key_base = jobs.key_base();
    for (std::size_t at = 0; at < images.items.size(); at += images_of_a_job) {
        image_order part;
        part.source = images.source;
        const auto end = std::min(images.items.size(), at + images_of_a_job);
        part.items.assign(images.items.begin() + static_cast<std::ptrdiff_t>(at),
                          images.items.begin() + static_cast<std::ptrdiff_t>(end));
        queue::job_options o;
        o.id = fmt::format("images-{:016x}-{}-{}", catalog::text_digest(order.run.job_id), page.number, at);
        o.priority = priority_of_images;
        o.attempts = attempts_of_images;
        o.backoff = queue::backoff_options{"exponential", 5000ms};
        o.ignore_dependency_on_failure = true;
        o.parent = queue::parent_options{order.run.job_id, key_base.substr(0, key_base.size() - 1)};
        out.emplace_back(std::string{mirror_images_name}, to_json(part), std::move(o));
    }
    return out;
}

} // namespace tiktrend::worker
