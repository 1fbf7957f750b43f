#include <tiktrend/base/json_text.hpp>
#include <tiktrend/base/log.hpp>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <ctime>

namespace tiktrend {

struct logger::state {
    log_level level;
    sink write;
};

namespace {

constexpr std::string_view name_of(log_level level) noexcept {
    switch (level) {
    case log_level::debug:
        return "debug";
    case log_level::info:
        return "info";
    case log_level::warn:
        return "warn";
    case log_level::error:
        return "error";
    case log_level::off:
        break;
    }
    return "off";
}

/// RFC 3339 in UTC with milliseconds.
void append_timestamp(std::string& out) {
    using namespace std::chrono;
    const auto now = system_clock::now();
    const auto seconds = system_clock::to_time_t(now);
    const auto ms = duration_cast<milliseconds>(now.time_since_epoch()).count() % 1000;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                   utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, ms);
}

void append_value(std::string& out, const log_field::value_type& value) {
    if (const auto* text = std::get_if<std::string_view>(&value))
        append_json_string(out, *text);
    else if (const auto* number = std::get_if<std::int64_t>(&value))
        append_json_number(out, *number);
    else if (const auto* real = std::get_if<double>(&value))
        append_json_number(out, *real);
    else
        out += std::get<bool>(value) ? "true" : "false";
}

} // namespace

bool parse_log_level(std::string_view text, log_level& out) noexcept {
    for (auto level : {log_level::debug, log_level::info, log_level::warn, log_level::error, log_level::off})
        if (text == name_of(level)) {
            out = level;
            return true;
        }
    return false;
}

logger logger::to_stderr(log_level level) {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto out = std::make_shared<spdlog::logger>("tiktrend", std::move(sink));
    out->set_pattern("%v");
    out->set_level(spdlog::level::trace);
    out->flush_on(spdlog::level::trace);
    return to_sink(level, [out](std::string_view line) { out->info("{}", line); });
}

logger logger::to_sink(log_level level, sink write) {
    logger l;
    l.state_ = std::make_shared<const state>(state{level, std::move(write)});
    return l;
}

logger logger::with(std::string_view key, std::string_view value) const {
    logger copy{*this};
    copy.bound_ += ',';
    append_json_string(copy.bound_, key);
    copy.bound_ += ':';
    append_json_string(copy.bound_, value);
    return copy;
}

bool logger::enabled(log_level level) const noexcept {
    return state_ && level >= state_->level;
}

void logger::write(log_level level, std::string_view event, std::initializer_list<log_field> fields) const {
    if (!enabled(level)) return;
    std::string line;
    line.reserve(160);
    line += R"({"ts":")";
    append_timestamp(line);
    line += R"(","level":")";
    line += name_of(level);
    line += R"(","event":)";
    append_json_string(line, event);
    line += bound_;
    for (const auto& f : fields) {
        line += ',';
        append_json_string(line, f.key);
        line += ':';
        append_value(line, f.value);
    }
    line += '}';
    state_->write(line);
}

} // namespace tiktrend
