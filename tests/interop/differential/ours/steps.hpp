#pragma once
#include <tiktrend/queue/queue.hpp>

#include <boost/json.hpp>

#include <optional>
#include <string>

namespace tiktrend::interop {

namespace json = boost::json;

// Members of a step, with what they are when it does not say.
std::string text(const json::object& step, std::string_view name, std::string fallback = {});
std::int64_t integer(const json::object& step, std::string_view name, std::int64_t fallback = 0);
bool flag(const json::object& step, std::string_view name, bool fallback = false);
std::string id_of(const json::object& step);

/// What a step answered; empty: the verb belongs to another group.
using step_answer = std::optional<json::value>;

// One function a group of the library, in files of their own. `step` and `q` outlive the call.
task<step_answer> producer_step(queue::queue& q, std::string_view verb, const json::object& step);
task<step_answer> settings_step(queue::queue& q, std::string_view verb, const json::object& step);
task<step_answer> admin_step(queue::queue& q, std::string_view verb, const json::object& step);
task<step_answer> getter_step(queue::queue& q, std::string_view verb, const json::object& step);
task<step_answer> flow_step(queue::queue& q, std::string_view verb, const json::object& step);
task<step_answer> scheduler_step(queue::queue& q, std::string_view verb, const json::object& step);
task<step_answer> job_step(queue::queue& q, std::string_view verb, const json::object& step);

} // namespace tiktrend::interop
