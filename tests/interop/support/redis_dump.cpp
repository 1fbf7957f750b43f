#include "redis_dump.hpp"

#include <tiktrend/testing/redis_server.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace tiktrend::interop {
namespace {

namespace json = boost::json;

// One JSON text a key: [key, type, PTTL, rows of texts].
constexpr auto dump_script = R"(
    redis.call('SELECT', ARGV[1])
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

dumped_key read_key(const json::array& entry) {
    dumped_key out;
    out.name = std::string{entry.at(0).as_string()};
    out.type = std::string{entry.at(1).as_string()};
    out.ttl_ms = entry.at(2).to_number<std::int64_t>();
    const auto* rows = entry.at(3).if_array(); // Redis writes an empty list as {}
    for (const auto& row : rows ? *rows : json::array{}) {
        auto& texts = out.rows.emplace_back();
        for (const auto& text : row.as_array())
            texts.emplace_back(text.as_string());
    }
    return out;
}

} // namespace

std::vector<dumped_key> dump_redis(int database) {
    std::vector<dumped_key> out;
    const auto text =
        testing::redis_server::shared().command({"EVAL", dump_script, "0", std::to_string(database)});
    for (std::size_t from = 0; from < text.size();) {
        const auto end = std::min(text.find('\n', from), text.size());
        out.push_back(read_key(json::parse(text.substr(from, end - from)).as_array()));
        from = end + 1;
    }
    return out;
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

} // namespace tiktrend::interop
