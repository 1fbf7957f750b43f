#include "snapshot.hpp"

#include <algorithm>
#include <set>

namespace tiktrend::interop {
namespace {

/// A field whose text is JSON is compared as a value; what names the library is left out.
std::string comparable(const std::string& field, const std::string& value) {
    static const std::set<std::string> json_fields{"opts",   "data",       "progress", "returnvalue",
                                                   "parent", "stacktrace", "pd",       "tm"};
    if (!json_fields.contains(field)) return value;
    json::error_code ec;
    const auto parsed = json::parse(value, ec);
    return ec ? "not JSON: " + value : canonical(parsed);
}

std::string row_text(const std::string& type, const std::vector<std::string>& row) {
    if (type == "hash") return row.at(0) + "=" + comparable(row.at(0), row.at(1));
    if (type == "zset") return row.at(0) + " @ " + row.at(1);
    if (type != "stream") return row.at(0);
    // `event` is first for every client; the order of the others carries no meaning.
    std::vector<std::string> fields;
    for (std::size_t i = 2; i + 1 < row.size(); i += 2)
        fields.push_back(row[i] + "=" + comparable(row[i], row[i + 1]));
    std::sort(fields.begin(), fields.end());
    std::string line = row.at(0) + "=" + row.at(1);
    for (const auto& f : fields)
        line += " " + f;
    return line;
}

} // namespace

std::string without_prefix(std::string text, const std::string& prefix) {
    for (std::size_t at = 0; (at = text.find(prefix + ":", at)) != std::string::npos; at += 2)
        text.replace(at, prefix.size() + 1, "P:");
    return text;
}

both_snapshots take_snapshots(const std::string& theirs, const std::string& ours) {
    both_snapshots out;
    for (const auto& key : dump_redis()) {
        const bool is_ours = key.name.starts_with(ours + ":");
        const auto& prefix = is_ours ? ours : theirs;
        key_state state;
        state.type = key.type;
        state.ttl_ms = key.ttl_ms;
        for (const auto& row : key.rows)
            state.rows.push_back(without_prefix(row_text(state.type, row), prefix));
        if (state.type == "hash" || state.type == "set") std::sort(state.rows.begin(), state.rows.end());
        (is_ours ? out.ours : out.theirs)[without_prefix(key.name, prefix)] = std::move(state);
    }
    return out;
}

} // namespace tiktrend::interop
