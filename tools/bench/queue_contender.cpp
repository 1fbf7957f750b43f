#include "queue_contender.hpp"

#include "process_usage.hpp"
#include "redis_meter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace tiktrend::bench {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

} // namespace

queue_contender::queue_contender(
    std::string name, layout keys, const testing::redis_server& redis,
    const std::function<std::vector<std::string>(const std::string& fd)>& command)
    : keys_{std::move(keys)}, redis_{redis}, peer_{std::move(name), command} {}

json::object queue_contender::ask(const queue_order& o) {
    peer_.send(json::serialize(json::object{{"work", o.work},
                                            {"jobs", o.jobs},
                                            {"concurrency", o.concurrency},
                                            {"prioritized", o.is_prioritized}}));
    auto answer = json::parse(peer_.receive(10min)).as_object();
    if (const auto* error = answer.if_contains("error"))
        throw std::runtime_error(name() + ": " + std::string{error->as_string()});
    return answer;
}

long queue_contender::count(const std::string& command, const std::string& key) const {
    return std::stol(redis_.command({command, key}));
}

queue_cost queue_contender::measure(const queue_order& o) {
    const bool is_process = std::string_view{o.work} == "process";
    const auto wait_command = o.is_prioritized ? "ZCARD" : keys_.wait_command;
    const auto wait_key = o.is_prioritized ? "bull:bench:prioritized" : keys_.wait_key;
    const auto look = [&] {
        return is_process ? count(keys_.done_command, keys_.done_key) : count(wait_command, wait_key);
    };
    const auto before = look();
    const redis_meter meter{redis_};
    const auto answer = ask(o);
    const auto used = meter.used();
    if (const auto found = look() - before; found != o.jobs)
        throw std::runtime_error(
            fmt::format("{}, {}: Redis knows of {} jobs, not of {}", name(), o.work, found, o.jobs));
    return {o.jobs / answer.at("seconds").to_number<double>(), used.cpu_seconds * 1e6 / o.jobs,
            used.command_seconds * 1e6 / o.jobs, answer.at("cpu_seconds").to_number<double>() * 1e6 / o.jobs};
}

std::vector<double> queue_contender::latencies(int jobs) {
    const auto answer = ask({"latency", jobs, 1});
    std::vector<double> all;
    for (const auto& sample : answer.at("us").as_array())
        all.push_back(sample.to_number<double>());
    if (all.size() != static_cast<std::size_t>(jobs))
        throw std::runtime_error(fmt::format("{}: {} latencies, not {}", name(), all.size(), jobs));
    std::sort(all.begin(), all.end());
    return all;
}

double queue_contender::peak_mib() {
    return peak_mib_of(peer_.child().pid());
}

} // namespace tiktrend::bench
