#include "trace.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <stdexcept>

namespace tiktrend::autoscale {
namespace {

double number(const std::string& text, const std::string& unit) {
    std::size_t used = 0;
    double out = -1;
    try {
        out = std::stod(text, &used);
    } catch (const std::exception&) {
        used = 0;
    }
    if (used == 0 || text.substr(used) != unit || !(out >= 0))
        throw std::runtime_error("\"" + text + "\": expected a number" +
                                 (unit.empty() ? "" : " with " + unit));
    return out;
}

trace::event read_event(std::istringstream& words) {
    static const std::map<std::string, trace::kind> kinds{{"rate", trace::kind::rate},
                                                          {"burst", trace::kind::burst},
                                                          {"lose", trace::kind::lose},
                                                          {"blind", trace::kind::blind},
                                                          {"slow", trace::kind::slow}};
    std::string at, what, value;
    words >> at >> what >> value;
    const auto kind = kinds.find(what);
    if (kind == kinds.end())
        throw std::runtime_error("\"" + what + "\": expected rate, burst, lose, blind or slow");
    const auto is_time = kind->second == trace::kind::blind || kind->second == trace::kind::slow;
    const double n = is_time                             ? parse_duration(value).count()
                     : kind->second == trace::kind::rate ? number(value, "/s")
                                                         : number(value, "");
    return {parse_duration(at), kind->second, n};
}

void read_line(const std::string& line, trace& out) {
    std::istringstream words{line};
    std::string verb, first, second, third;
    words >> verb;
    if (verb == "at") {
        const auto e = read_event(words);
        out.events.insert(std::ranges::upper_bound(out.events, e.at, {}, &trace::event::at), e);
        return;
    }
    words >> first >> second >> third;
    if (verb == "seed") {
        out.seed = static_cast<std::uint64_t>(number(first, ""));
    } else if (verb == "length") {
        out.length = parse_duration(first);
    } else if (verb == "job") {
        out.job_mean = parse_duration(first);
        if (!second.empty()) out.job_spread = std::min(1.0, number(second, "%") / 100);
    } else if (verb == "start") {
        out.start_delay = parse_duration(first);
    } else if (verb == "stale") {
        out.stale = parse_duration(first);
    } else if (verb == "day") {
        out.day = parse_duration(first);
        out.day_high = number(second, "/s");
        out.day_low = number(third, "/s");
    } else {
        throw std::runtime_error("\"" + verb + "\": expected seed, length, job, start, stale, day or at");
    }
}

} // namespace

moment parse_duration(const std::string& text) {
    for (const auto& [unit, factor] : {std::pair{"ms", 0.001}, {"s", 1.0}, {"m", 60.0}, {"h", 3600.0}}) {
        const std::string u{unit};
        if (text.size() <= u.size() || !text.ends_with(u)) continue;
        const auto digits = text.substr(0, text.size() - u.size());
        if (digits.find_first_not_of("0123456789.") != std::string::npos) continue;
        return moment{number(digits, "") * factor};
    }
    throw std::runtime_error("\"" + text + "\": expected a duration like 250ms, 30s, 5m or 2h");
}

trace read_trace(std::istream& in) {
    trace out;
    int n = 0;
    for (std::string line; std::getline(in, line);) {
        ++n;
        line = line.substr(0, line.find('#'));
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        try {
            read_line(line, out);
        } catch (const std::runtime_error& e) {
            throw std::runtime_error("line " + std::to_string(n) + ": " + e.what());
        }
    }
    return out;
}

} // namespace tiktrend::autoscale
