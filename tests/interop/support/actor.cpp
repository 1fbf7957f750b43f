#include "actor.hpp"

#include <unistd.h>

#include <cstdlib>
#include <ostream>
#include <stdexcept>

namespace tiktrend::interop {
namespace {

constexpr std::chrono::seconds answer_limit{30};

std::string environment(const char* name) {
    const auto* value = std::getenv(name);
    if (!value) throw std::runtime_error(std::string{name} + " is not set; run this test by ctest");
    return value;
}

std::vector<std::string> command_of(library which, const std::string& fd, const std::string& url) {
    if (which == library::ours) return {environment("TIKTREND_INTEROP_ACTOR"), fd, url};
    const auto folder = environment("TIKTREND_SOURCE_DIR") + "/tests/interop/node";
    if (::access((folder + "/node_modules/bullmq").c_str(), R_OK) != 0)
        throw std::runtime_error("Node's BullMQ is not installed in " + folder + "; run tools/setup");
    return {"node", folder + "/actor.mjs", which == library::node6 ? "6" : "5", fd, url};
}

} // namespace

std::string_view to_string(library l) noexcept {
    switch (l) {
    case library::ours:
        return "ours";
    case library::node6:
        return "bullmq 6.7.0";
    case library::node5:
        return "bullmq 5.81.5";
    }
    return "?";
}

std::ostream& operator<<(std::ostream& out, library l) {
    return out << to_string(l);
}
std::ostream& operator<<(std::ostream& out, const pairing& p) {
    return out << p.producer << " adds, " << p.worker << " processes";
}

actor::actor(library which, int database)
    : which_{which},
      peer_{std::string{to_string(which)}, [&](const std::string& fd) {
                return command_of(which, fd,
                                  testing::redis_server::shared().url() + "/" + std::to_string(database));
            }} {}

actor& actor::shared(library which) {
    testing::redis_server::shared(); // lives longer than the actors
    static std::map<library, std::unique_ptr<actor>> all;
    auto& slot = all[which];
    if (!slot) slot = std::make_unique<actor>(which);
    return *slot;
}

std::int64_t actor::send(std::string_view verb, json::object arguments) {
    const auto seq = ++last_seq_;
    arguments["seq"] = seq;
    arguments["call"] = verb;
    peer_.send(json::serialize(arguments));
    return seq;
}

json::value actor::receive(std::int64_t seq) {
    while (!early_.contains(seq)) {
        auto reply = json::parse(peer_.receive(answer_limit)).as_object();
        const auto number = reply.at("seq").to_number<std::int64_t>();
        early_[number] = std::move(reply);
    }
    const auto reply = std::move(early_.extract(seq).mapped());
    if (const auto* error = reply.if_contains("error"))
        throw std::runtime_error(std::string{to_string(which_)} + ": " + std::string{error->as_string()});
    return reply.at("value");
}

json::value actor::call(std::string_view verb, json::object arguments) {
    return receive(send(verb, std::move(arguments)));
}

std::string fresh_queue(std::string_view what) {
    static int n = 0;
    return std::string{what} + "-" + std::to_string(++n);
}

std::vector<pairing> both_ways() {
    using enum library;
    return {{node6, ours}, {ours, node6}, {node5, ours}, {ours, node5}};
}

worker_of::worker_of(actor& who, const std::string& queue, json::object options) : who_{who} {
    static int n = 0;
    name_ = "w" + std::to_string(++n);
    if (!options.contains("drainDelay")) options["drainDelay"] = 1;
    who_.call("start_worker", {{"queue", queue}, {"name", name_}, {"options", std::move(options)}});
}

worker_of::~worker_of() {
    try {
        stop();
    } catch (const std::exception&) { // the test has failed already if its actor is gone
    }
}

void worker_of::stop() {
    if (!std::exchange(stopped_, true)) who_.call("stop_worker", {{"name", name_}});
}

std::vector<std::string> worker_of::ran() {
    std::vector<std::string> ids;
    const auto runs = who_.call("ran", {{"name", name_}});
    for (const auto& run : runs.as_array())
        ids.emplace_back(run.at("id").as_string());
    return ids;
}

std::string add(actor& who, const std::string& queue, json::object data, json::object opts,
                std::string_view name) {
    const auto id = who.call(
        "add", {{"queue", queue}, {"name", name}, {"data", std::move(data)}, {"opts", std::move(opts)}});
    return std::string{id.as_string()};
}

json::object job(actor& who, const std::string& queue, const std::string& id) {
    return who.call("job", {{"queue", queue}, {"id", id}}).as_object();
}

std::string state(actor& who, const std::string& queue, const std::string& id) {
    return std::string{job(who, queue, id).at("state").as_string()};
}

bool reaches(actor& who, const std::string& queue, const std::string& id, std::string_view wanted,
             std::chrono::milliseconds limit) {
    return testing::poll_until([&] { return state(who, queue, id) == wanted; }, limit);
}

} // namespace tiktrend::interop
