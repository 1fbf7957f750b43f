#include "image_order.hpp"

#include <tiktrend/base/json_text.hpp>

#include <fmt/format.h>
#include <simdjson.h>

namespace tiktrend::worker {

std::string to_json(const image_order& order) {
    std::string out = R"({"source":)";
    append_json_string(out, order.source);
    out += R"(,"images":[)";
    for (const auto& item : order.items) {
        if (out.back() != '[') out += ',';
        out += fmt::format(R"({{"id":{},"url":)", item.id);
        append_json_string(out, item.url);
        out += '}';
    }
    out += ']';
    if (order.before != decltype(order.before){})
        out += fmt::format(R"(,"before":[{},{},{}])", order.before[0], order.before[1], order.before[2]);
    return out + '}';
}

result<image_order, bad_job_data> parse_image_order(std::string_view json) {
    namespace dom = simdjson::dom;
    dom::parser parser;
    dom::element root;
    dom::array images;
    image_order out;
    std::string_view source;
    if (parser.parse(json.data(), json.size()).get(root) || root["source"].get(source) ||
        root["images"].get(images))
        return bad_job_data{R"(data: expected {"source", "images": [{"id", "url"}]})"};
    out.source = source;
    if (dom::array before; !root["before"].get(before)) {
        std::size_t i = 0;
        for (const auto entry : before)
            if (i == out.before.size() || entry.get(out.before[i++]))
                return bad_job_data{"data.before: expected three numbers"};
    }
    for (const auto entry : images) {
        image_order::item item;
        std::string_view url;
        if (entry["id"].get(item.id) || entry["url"].get(url))
            return bad_job_data{fmt::format("data.images[{}]: expected id and url", out.items.size())};
        if (out.items.size() == image_order::most_items)
            return bad_job_data{fmt::format("data.images: expected at most {}", image_order::most_items)};
        item.url = url;
        out.items.push_back(std::move(item));
    }
    return out;
}

} // namespace tiktrend::worker
