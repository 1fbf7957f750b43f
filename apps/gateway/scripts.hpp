#pragma once
#include <tiktrend/redis/client.hpp>
#include <tiktrend/redis/script.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::gateway {

// The scripts of lua/; they live for ever.
const redis::script& begin_request_script();
const redis::script& end_request_script();
const redis::script& jobs_with_script();
const redis::script& take_permits_script();

/// Runs a script on one key. An error reply is a bug of ours or of the server's configuration, so it throws
/// redis::server_error; otherwise as redis::client::eval(). Key and arguments are copied.
task<redis::reply> run_script(redis::client& client, const redis::script& s, std::string_view key,
                              std::initializer_list<std::string_view> args);
task<redis::reply> run_script(redis::client& client, const redis::script& s, std::string_view key,
                              std::vector<std::string> args);

} // namespace tiktrend::gateway
