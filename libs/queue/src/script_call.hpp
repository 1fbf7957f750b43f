#pragma once
#include <tiktrend/queue/error.hpp>
#include <tiktrend/redis/client.hpp>

#include <initializer_list>
#include <vector>

namespace tiktrend::queue {

/// Runs a script on a queue. Throws std::runtime_error if it ends with an error of its own: a key of the
/// queue has a foreign type, or there is a mistake in the script.
task<redis::reply> run_script(redis::client& client, const redis::script& script, std::string key_base,
                              std::vector<std::string> args);

/// As above for arguments that live until the reply is here.
task<redis::reply> run_script_views(redis::client& client, const redis::script& script,
                                    const std::string& key_base, std::span<const std::string_view> args);

/// The outcome that a script's negative reply stands for. The only place that knows these numbers; a script
/// whose codes mean something else (obliterate) is read where it is called.
error_code outcome_of(std::int64_t code) noexcept;

/// Throws system_error(outcome_of(code), what) if `code` is negative.
void throw_if_refused(std::int64_t code, const std::string& what);

} // namespace tiktrend::queue
