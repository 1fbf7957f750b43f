#pragma once
#include "job_data.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tiktrend::worker {

/// The data of a job `mirror_images`: {"source", "images": [{"id", "url"}]}.
struct image_order {
    struct item {
        std::int64_t id = 0; ///< of the product
        std::string url;     ///< as the product has it; when it has another one by then, nothing is written
    };
    static constexpr std::size_t most_items = 1000;

    std::string source;
    std::vector<item> items;
};

std::string to_json(const image_order& order);
/// Anybody can add jobs: nothing is taken for granted.
result<image_order, bad_job_data> parse_image_order(std::string_view json);

} // namespace tiktrend::worker
