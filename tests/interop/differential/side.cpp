#include "side.hpp"

#include <tiktrend/testing/redis_server.hpp>

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace tiktrend::interop {
namespace {

constexpr std::chrono::seconds answer_limit{60};

std::string environment(const char* name) {
    const auto* value = std::getenv(name);
    if (!value) throw std::runtime_error(std::string{name} + " is not set; run this test by ctest");
    return value;
}

std::vector<std::string> command_of(side::library which, const std::string& fd, const std::string& prefix) {
    const auto url = testing::redis_server::shared().url();
    if (which == side::library::ours) return {environment("TIKTREND_DIFFERENTIAL_ACTOR"), fd, url, prefix};
    const auto folder = environment("TIKTREND_SOURCE_DIR") + "/tests/interop/node";
    if (::access((folder + "/node_modules/bullmq").c_str(), R_OK) != 0)
        throw std::runtime_error("Node's BullMQ is not installed in " + folder + "; run tools/setup");
    return {"node", folder + "/differential.mjs", which == side::library::node6 ? "6" : "5", fd, url, prefix};
}

/// Text with P: put where a step names a key of this side.
std::string with_prefix(std::string text, const std::string& prefix) {
    for (std::size_t at = 0; (at = text.find("\"P:", at)) != std::string::npos; at += prefix.size() + 2)
        text.replace(at + 1, 1, prefix);
    return text;
}

} // namespace

std::string_view to_string(side::library l) noexcept {
    switch (l) {
    case side::library::node6:
        return "bullmq 6.7.0";
    case side::library::node5:
        return "bullmq 5.81.5";
    case side::library::ours:
        return "ours";
    }
    return "?";
}

side::side(library which, std::string prefix)
    : prefix_{std::move(prefix)}, peer_{std::string{to_string(which)}, [&](const std::string& fd) {
                                            return command_of(which, fd, prefix_);
                                        }} {}

void side::send(const json::object& step) {
    peer_.send(with_prefix(json::serialize(step), prefix_));
}

std::string side::receive(std::string& text) {
    text = without_prefix(peer_.receive(answer_limit), prefix_);
    const auto reply = json::parse(text).as_object();
    if (const auto* error = reply.if_contains("error"))
        return "refused " + canonical(error->as_object().at("code"));
    return canonical(reply.at("value"));
}

} // namespace tiktrend::interop
