#pragma once
#include <boost/json.hpp>

#include <string>
#include <vector>

namespace tiktrend::interop {

namespace json = boost::json;

/// One story, told in steps that both libraries carry out. Written as data: see README.md here.
struct scenario {
    std::string group; ///< the file it stands in
    std::string name;
    bool is_common = true; ///< holds for BullMQ 5 too
    std::string only_six;  ///< why it does not
    std::vector<json::object> steps;
};

/// Every scenario of the folder, in the order of the files' names. Throws std::runtime_error for a member
/// that it does not know, so that no scenario asks in vain.
std::vector<scenario> load_scenarios(const std::string& folder);

/// Reads a whole JSON file. Throws std::runtime_error naming the file.
json::value read_json_file(const std::string& path);

} // namespace tiktrend::interop
