#pragma once
#include "input.hpp"
#include "keys.hpp"
#include "script_call.hpp"
#include "scripts.hpp"

#include <tiktrend/queue/queue.hpp>

namespace tiktrend::queue {

// What the views of a queue (settings, administration, getters, job operations) share.

inline queue_keys keys_of(const queue& q) {
    return queue_keys{q.options().prefix, q.name()};
}

/// Runs a script on the queue.
inline task<redis::reply> run_script_on(const queue& q, const redis::script& script,
                                        std::vector<std::string> args = {}) {
    return run_script(q.client(), script, q.key_base(), std::move(args));
}

/// Runs a script that answers a number; a negative one is a refusal of `what`.
task<std::int64_t> run_code_on(const queue& q, const redis::script& script, std::vector<std::string> args,
                               std::string what);

/// Runs a plain command; an error reply is thrown as std::runtime_error.
task<redis::reply> exec_on(const queue& q, redis::command command);

} // namespace tiktrend::queue
