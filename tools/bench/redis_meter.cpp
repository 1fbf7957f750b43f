#include "redis_meter.hpp"

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

} // namespace

double redis_meter::now() const {
    const auto info = server_.command({"INFO", "cpu"});
    return field(info, "used_cpu_user") + field(info, "used_cpu_sys");
}

} // namespace tiktrend::bench
