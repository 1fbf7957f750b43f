#include "history.hpp"

#include <tiktrend/testing/redis_server.hpp>

#include <sstream>

namespace tiktrend::interop {
namespace {

using testing::redis_server;

constexpr std::int64_t early_tolerance_ms = 10;

constexpr auto history_script = R"(
    local out = {}
    for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
        local row = { at = entry[1] }
        for i = 1, #entry[2], 2 do row[entry[2][i]] = entry[2][i + 1] end
        out[#out + 1] = cjson.encode(row)
    end
    return out)";

// In one script, so that nothing moves meanwhile.
constexpr auto places_script = R"(
    local base, out, places = KEYS[1], {}, {}
    local function count(ids)
        for _, id in ipairs(ids) do places[id] = (places[id] or 0) + 1 end
    end
    for _, list in ipairs({ 'wait', 'paused', 'active' }) do count(redis.call('LRANGE', base .. list, 0, -1)) end
    for _, set in ipairs({ 'prioritized', 'delayed', 'waiting-children', 'completed', 'failed' }) do
        count(redis.call('ZRANGE', base .. set, 0, -1))
    end
    for id, n in pairs(places) do
        if n > 1 then out[#out + 1] = id .. ' is in ' .. n .. ' places' end
        if redis.call('HEXISTS', base .. id, 'name') == 0 then out[#out + 1] = id .. ' has a place and no hash' end
    end
    for _, key in ipairs(redis.call('KEYS', base .. '*')) do
        if redis.call('TYPE', key).ok == 'hash' and redis.call('HEXISTS', key, 'timestamp') == 1 then
            local id = string.sub(key, #base + 1)
            if not places[id] then out[#out + 1] = id .. ' has a hash and no place' end
        end
    end
    return out)";

constexpr auto quiet_script = R"(
    local base = KEYS[1]
    return redis.call('LLEN', base .. 'wait') + redis.call('LLEN', base .. 'paused') + redis.call('LLEN', base .. 'active')
        + redis.call('ZCARD', base .. 'prioritized') + redis.call('ZCARD', base .. 'delayed')
        + redis.call('ZCARD', base .. 'waiting-children'))";

std::string base_of(const std::string& queue) {
    return "bull:" + queue + ":";
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);)
        out.push_back(line);
    return out;
}

/// Where a job is, as its events tell it.
enum class stage { unknown, added, waiting, delayed, waiting_children, active, done };

/// The next stage; empty: the event must not happen here.
std::optional<stage> step(stage s, const past_event& e) {
    using enum stage;
    if (e.name == "progress" || e.name == "duplicated") return s;
    if (e.name == "added") return s == unknown ? std::optional{added} : std::nullopt;
    if (e.name == "waiting") {
        const bool fits = (s == added && e.prev.empty()) || (s == delayed && e.prev == "delayed") ||
                          (s == active && e.prev == "active") ||
                          (s == waiting_children && e.prev == "waiting-children");
        return fits ? std::optional{waiting} : std::nullopt;
    }
    if (e.name == "delayed")
        return s == added || s == active || s == delayed ? std::optional{delayed} : std::nullopt;
    if (e.name == "waiting-children") return s == added ? std::optional{waiting_children} : std::nullopt;
    if (e.name == "stalled") return s == waiting ? std::optional{waiting} : std::nullopt;
    if (e.name == "active") return s == waiting ? std::optional{active} : std::nullopt;
    if (e.name == "completed" || e.name == "failed") return s == active ? std::optional{done} : std::nullopt;
    if (e.name == "retries-exhausted") return s == done ? std::optional{done} : std::nullopt;
    return std::nullopt;
}

struct story {
    stage where = stage::unknown;
    std::string last_event;
    std::string ended_by;
    std::int64_t due_ms = 0; ///< of the last `delayed`
    std::int64_t starts = 0;
};

std::string field(const std::string& queue, const std::string& id, const char* name) {
    return redis_server::shared().command({"HGET", base_of(queue) + id, name});
}

std::int64_t number_field(const std::string& queue, const std::string& id, const char* name) {
    const auto text = field(queue, id, name);
    return text.empty() || text == "(nil)" ? 0 : std::stoll(text);
}

void check_end(const std::string& queue, const std::string& id, const expectation& e, const story& s,
               std::vector<std::string>& out) {
    if (s.ended_by != e.state) {
        out.push_back(
            id + " had to be " + e.state + " and " +
            (s.ended_by.empty() ? "did not end; its last event is " + s.last_event : "is " + s.ended_by));
        return;
    }
    if (e.is_removed) {
        if (redis_server::shared().command({"EXISTS", base_of(queue) + id}) != "0")
            out.push_back(id + " had to be removed and is there");
        return;
    }
    const auto score = redis_server::shared().command({"ZSCORE", base_of(queue) + e.state, id});
    if (score == "(nil)") out.push_back(id + " is not in the set " + e.state);
    if (const auto made = number_field(queue, id, "atm"); made != e.attempts_made)
        out.push_back(id + " made " + std::to_string(made) + " attempts instead of " +
                      std::to_string(e.attempts_made));
    if (const auto started = number_field(queue, id, "ats"); started != s.starts)
        out.push_back(id + " counts " + std::to_string(started) + " starts and had " +
                      std::to_string(s.starts));
    if (!e.reason.empty() && field(queue, id, "failedReason") != e.reason)
        out.push_back(id + " failed for another reason: " + field(queue, id, "failedReason"));
}

} // namespace

std::vector<past_event> read_history(const std::string& queue) {
    std::vector<past_event> out;
    const auto text =
        redis_server::shared().command({"EVAL", history_script, "1", base_of(queue) + "events"});
    for (const auto& line : lines_of(text)) {
        const auto row = json::parse(line).as_object();
        const auto member = [&](const char* name) {
            const auto* value = row.if_contains(name);
            return value ? std::string{value->as_string()} : std::string{};
        };
        past_event e;
        e.at_ms = std::stoll(member("at"));
        e.name = member("event");
        e.job_id = member("jobId");
        e.prev = member("prev");
        if (const auto delay = member("delay"); !delay.empty()) e.delay = std::stoll(delay);
        out.push_back(std::move(e));
    }
    return out;
}

std::vector<std::string> violations_of(const std::vector<past_event>& history, const workload& work,
                                       const std::string& queue) {
    std::vector<std::string> out;
    std::map<std::string, story> stories;
    for (const auto& e : history) {
        if (e.job_id.empty()) continue; // of the queue itself
        auto& s = stories[e.job_id];
        const auto next = step(s.where, e);
        if (!next) {
            out.push_back(e.job_id + ": " + e.name + " (prev " + e.prev + ") after " + s.last_event);
            continue;
        }
        if (e.name == "delayed") s.due_ms = e.delay;
        if (e.name == "active" && ++s.starts && e.at_ms < s.due_ms - early_tolerance_ms)
            out.push_back(e.job_id + " started " + std::to_string(s.due_ms - e.at_ms) + " ms early");
        if (*next == stage::done && s.where == stage::active) s.ended_by = e.name;
        s.where = *next;
        s.last_event = e.name;
    }
    for (const auto& [id, expected] : work.accepted())
        check_end(queue, id, expected, stories[id], out);
    return out;
}

std::vector<std::string> misplaced(const std::string& queue) {
    return lines_of(redis_server::shared().command({"EVAL", places_script, "1", base_of(queue)}));
}

bool is_quiet(const std::string& queue) {
    return redis_server::shared().command({"EVAL", quiet_script, "1", base_of(queue)}) == "0";
}

} // namespace tiktrend::interop
