#include <tiktrend/base/program.hpp>
#include <tiktrend/report/event.hpp>
#include <tiktrend/report/scrub.hpp>

#include <boost/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>

namespace tiktrend::report {
namespace {

namespace json = boost::json;

constexpr std::string_view own_members[] = {"ts", "level", "event", "program"};

std::string text_of(const json::object& o, std::string_view name) {
    const auto* v = o.if_contains(name);
    return v && v->is_string() ? std::string{v->get_string()} : std::string{};
}

std::optional<json::object> error_line(std::string_view line) {
    boost::system::error_code ec;
    auto v = json::parse(line, ec);
    if (ec || !v.is_object() || text_of(v.get_object(), "level") != "error") return std::nullopt;
    if (text_of(v.get_object(), "event").empty()) return std::nullopt;
    return std::move(v.get_object());
}

json::object scrubbed(const json::object& line) {
    json::object out;
    for (const auto& [name, value] : line) {
        if (std::find(std::begin(own_members), std::end(own_members), std::string_view{name}) !=
            std::end(own_members))
            continue;
        if (is_secret_name(name))
            out[name] = "[Filtered]";
        else if (value.is_string())
            out[name] = scrub(value.get_string());
        else
            out[name] = value;
    }
    return out;
}

} // namespace

origin this_process(std::string_view program, std::string_view environment) {
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) host = {};
    return {std::string{program}, std::string{program} + "@" + std::string{project_version()},
            std::string{environment}, host.data()};
}

std::optional<std::string> kind_of(std::string_view log_line) {
    // Almost every line is of another level; those are told without parsing.
    if (log_line.find(R"("level":"error")") == std::string_view::npos) return std::nullopt;
    const auto line = error_line(log_line);
    if (!line) return std::nullopt;
    return text_of(*line, "event");
}

std::optional<event> make_event(std::string_view log_line, const origin& from, std::string_view event_id,
                                std::uint64_t suppressed) {
    const auto line = error_line(log_line);
    if (!line) return std::nullopt;
    event out{text_of(*line, "event"), {}};
    auto extra = scrubbed(*line);
    auto said = out.kind;
    for (const char* name : {"error", "reason"})
        if (const auto text = text_of(extra, name); !text.empty()) {
            said += ": " + text;
            break;
        }
    if (suppressed != 0) extra["suppressed"] = suppressed;
    json::object tags{{"program", from.program}};
    for (const char* name : {"queue", "source", "job_id", "request_id"})
        if (const auto text = text_of(extra, name); !text.empty()) tags[name] = text.substr(0, 200);
    const json::object payload{{"event_id", event_id},
                               {"timestamp", text_of(*line, "ts")},
                               {"platform", "native"},
                               {"level", "error"},
                               {"logger", from.program},
                               {"release", from.release},
                               {"environment", from.environment},
                               {"server_name", from.server_name},
                               {"message", json::object{{"formatted", said}}},
                               {"fingerprint", json::array{from.program, out.kind}},
                               {"tags", std::move(tags)},
                               {"extra", std::move(extra)}};
    out.payload = json::serialize(payload);
    return out;
}

std::string make_envelope(const event& e, std::string_view event_id) {
    const json::object head{{"event_id", event_id},
                            {"sdk", json::object{{"name", "tiktrend"}, {"version", project_version()}}}};
    const json::object item{
        {"type", "event"}, {"length", e.payload.size()}, {"content_type", "application/json"}};
    return json::serialize(head) + '\n' + json::serialize(item) + '\n' + e.payload + '\n';
}

} // namespace tiktrend::report
