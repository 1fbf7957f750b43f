#include "redis_meter.hpp"

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tiktrend::bench {
namespace {

double field(const std::string& info, std::string_view name) {
    const auto at = info.find(std::string{name} + ":");
    if (at == std::string::npos) throw std::runtime_error("INFO has no " + std::string{name});
    return std::stod(info.substr(at + name.size() + 1));
}

/// Redis counts what a script calls a second time under its own name, so only these are added up.
constexpr std::array<std::string_view, 3> outermost{"eval", "evalsha", "bzpopmin"};

double command_seconds(const std::string& stats) {
    double microseconds = 0;
    for (const auto command : outermost) {
        const auto line = stats.find("cmdstat_" + std::string{command} + ":");
        if (line == std::string::npos) continue; // not called yet
        const auto usec = stats.find("usec=", line);
        microseconds += std::stod(stats.substr(usec + 5));
    }
    return microseconds / 1e6;
}

} // namespace

redis_meter::usage redis_meter::now() const {
    const auto info = server_.command({"INFO", "cpu"});
    return {field(info, "used_cpu_user") + field(info, "used_cpu_sys"),
            command_seconds(server_.command({"INFO", "commandstats"}))};
}

redis_meter::usage redis_meter::used() const {
    const auto end = now();
    return {end.cpu_seconds - start_.cpu_seconds, end.command_seconds - start_.command_seconds};
}

double used_mib_of(const testing::redis_server& server) {
    return field(server.command({"INFO", "memory"}), "\nused_memory") / 1024 / 1024;
}

} // namespace tiktrend::bench
