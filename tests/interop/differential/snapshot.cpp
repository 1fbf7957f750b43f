#include "snapshot.hpp"

#include <tiktrend/testing/redis_server.hpp>

#include <algorithm>
#include <cmath>
#include <set>

namespace tiktrend::interop {
namespace {

// One JSON text a key: [key, type, PTTL, rows of texts]. One script, so that both sides are seen at one moment.
constexpr auto dump_script = R"(
    local out = {}
    for _, key in ipairs(redis.call('KEYS', '*')) do
        local type = redis.call('TYPE', key).ok
        local rows = {}
        local function flat(list, width)
            for i = 1, #list, width do
                local row = {}
                for j = i, i + width - 1 do row[#row + 1] = list[j] end
                rows[#rows + 1] = row
            end
        end
        if type == 'string' then rows = {{redis.call('GET', key)}}
        elseif type == 'list' then flat(redis.call('LRANGE', key, 0, -1), 1)
        elseif type == 'set' then flat(redis.call('SMEMBERS', key), 1)
        elseif type == 'zset' then flat(redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'), 2)
        elseif type == 'hash' then flat(redis.call('HGETALL', key), 2)
        else for _, entry in ipairs(redis.call('XRANGE', key, '-', '+')) do rows[#rows + 1] = entry[2] end end
        out[#out + 1] = cjson.encode({key, type, redis.call('PTTL', key), rows})
    end
    return out)";

/// A field whose text is JSON is compared as a value; what names the library is left out.
std::string comparable(const std::string& field, const std::string& value) {
    static const std::set<std::string> json_fields{"opts",       "data", "progress", "returnvalue", "parent",
                                                   "stacktrace", "pd",   "tm"};
    if (!json_fields.contains(field)) return value;
    json::error_code ec;
    const auto parsed = json::parse(value, ec);
    return ec ? "not JSON: " + value : canonical(parsed);
}

std::string row_text(const std::string& type, const json::array& row) {
    const auto at = [&](std::size_t i) { return std::string{row.at(i).as_string()}; };
    if (type == "hash") return at(0) + "=" + comparable(at(0), at(1));
    if (type == "zset") return at(0) + " @ " + at(1);
    if (type != "stream") return at(0);
    // `event` is first for every client; the order of the others carries no meaning.
    std::vector<std::string> fields;
    for (std::size_t i = 2; i + 1 < row.size(); i += 2)
        fields.push_back(at(i) + "=" + comparable(at(i), at(i + 1)));
    std::sort(fields.begin(), fields.end());
    std::string line = at(0) + "=" + at(1);
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

std::string canonical(const json::value& v) {
    if (const auto* o = v.if_object()) {
        std::map<std::string, std::string> members;
        for (const auto& [name, value] : *o)
            members[std::string{name}] = canonical(value);
        std::string out = "{";
        for (const auto& [name, value] : members)
            out += name + ":" + value + ",";
        return out + "}";
    }
    if (const auto* a = v.if_array()) {
        if (a->empty()) return "{}"; // Redis' own JSON writer cannot tell the two apart
        std::string out = "[";
        for (const auto& value : *a)
            out += canonical(value) + ",";
        return out + "]";
    }
    if (const auto* d = v.if_double(); d && std::trunc(*d) == *d && std::abs(*d) < 9e15)
        return std::to_string(static_cast<std::int64_t>(*d));
    return json::serialize(v);
}

both_snapshots take_snapshots(const std::string& theirs, const std::string& ours) {
    both_snapshots out;
    const auto text = testing::redis_server::shared().command({"EVAL", dump_script, "0"});
    for (std::size_t from = 0; from < text.size();) {
        const auto end = std::min(text.find('\n', from), text.size());
        const auto entry = json::parse(text.substr(from, end - from)).as_array();
        from = end + 1;
        const std::string key{entry.at(0).as_string()};
        const bool is_ours = key.starts_with(ours + ":");
        const auto& prefix = is_ours ? ours : theirs;
        key_state state;
        state.type = std::string{entry.at(1).as_string()};
        state.ttl_ms = entry.at(2).to_number<std::int64_t>();
        const auto* rows = entry.at(3).if_array(); // Redis writes an empty list as {}
        for (const auto& row : rows ? *rows : json::array{})
            state.rows.push_back(without_prefix(row_text(state.type, row.as_array()), prefix));
        if (state.type == "hash" || state.type == "set") std::sort(state.rows.begin(), state.rows.end());
        (is_ours ? out.ours : out.theirs)[without_prefix(key, prefix)] = std::move(state);
    }
    return out;
}

} // namespace tiktrend::interop
