#pragma once
#include "job_data.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tiktrend::worker {

/// The data of a job `mirror_images`: {"source", "images": [{"id", "url"}]}, and "before": [mirrored,
/// present, refused] once a part of it is done.
struct image_order {
    struct item {
        std::int64_t id = 0; ///< of the product
        std::string url;     ///< as the product has it; when it has another one by then, nothing is written
    };
    static constexpr std::size_t most_items = 1000;

    std::string source;
    std::vector<item> items;
    std::array<std::int64_t, 3> before{}; ///< what became of images that are no longer among `items`
};

std::string to_json(const image_order& order);
/// Anybody can add jobs: nothing is taken for granted.
result<image_order, bad_job_data> parse_image_order(std::string_view json);

} // namespace tiktrend::worker
