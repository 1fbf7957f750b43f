#include "scenario.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

namespace tiktrend::interop {
namespace {

scenario read_scenario(const std::string& group, const json::object& text) {
    scenario s;
    s.group = group;
    s.name = std::string{text.at("name").as_string()};
    for (const auto& [member, value] : text) {
        if (member == "name") continue;
        if (member == "only_6") {
            s.is_common = false;
            s.only_six = std::string{value.as_string()};
        } else if (member == "steps") {
            for (const auto& step : value.as_array())
                s.steps.push_back(step.as_object());
        } else {
            throw std::runtime_error(group + ", " + s.name + ": unknown member " + std::string{member});
        }
    }
    if (s.steps.empty()) throw std::runtime_error(group + ", " + s.name + " has no steps");
    return s;
}

} // namespace

json::value read_json_file(const std::string& path) {
    std::ifstream in{path};
    if (!in) throw std::runtime_error("cannot read " + path);
    std::ostringstream text;
    text << in.rdbuf();
    json::error_code ec;
    auto value = json::parse(text.str(), ec);
    if (ec) throw std::runtime_error(path + ": " + ec.message());
    return value;
}

std::vector<scenario> load_scenarios(const std::string& folder) {
    std::set<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{folder})
        if (entry.path().extension() == ".json") files.insert(entry.path());
    std::vector<scenario> all;
    std::set<std::string> names;
    for (const auto& file : files) {
        const auto group = file.stem().string();
        const auto text = read_json_file(file.string());
        for (const auto& entry : text.as_array()) {
            all.push_back(read_scenario(group, entry.as_object()));
            if (!names.insert(all.back().name).second)
                throw std::runtime_error("two scenarios are called " + all.back().name);
        }
    }
    return all;
}

} // namespace tiktrend::interop
