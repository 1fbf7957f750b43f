#pragma once
#include "scrape_order.hpp"

#include <tiktrend/catalog/product_store.hpp>
#include <tiktrend/queue/queue.hpp>

#include <span>
#include <vector>

namespace tiktrend::worker {

inline constexpr std::size_t images_of_a_job = 25;

/// Jobs that mirror the images of the products of a page that have none of ours yet, as children of the
/// scrape (so that it ends after them; their failure is not its own). Ids are fixed: a page that is read
/// again adds none.
std::vector<queue::new_job> image_jobs(const catalog::scraped_page& page,
                                       std::span<const catalog::changed_product> changed,
                                       const scrape_order& order, const queue::queue& jobs);

} // namespace tiktrend::worker
