#pragma once
#include "copy/circuit_breaker.hpp"
#include "copy/completion.hpp"
#include "copy/copy_settings.hpp"

#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/http/upstream.hpp>
#include <tiktrend/observe/registry.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace tiktrend::gateway {

/// An OpenAI-compatible endpoint as one thread uses it: a deadline, retries within a budget, a circuit
/// breaker, a bound on calls at once. What goes wrong is thrown as the http::problem that the client may see
/// (502 copy_refused, 503 copy_unavailable with Retry-After, 504 copy_timeout); the endpoint's own words go
/// to the log.
class copy_endpoint {
public:
    /// Settings must be on and outlive it. Throws std::invalid_argument for a base URL that is none, and
    /// system_error if the certificates cannot be read.
    copy_endpoint(asio::any_io_executor executor, const copy_settings& settings, observe::registry& metrics,
                  logger log);
    ~copy_endpoint();

    /// Sends `body` (completion_request()). With `told`, the answer is streamed and each piece handed on; it
    /// is retried only before the first piece.
    task<completion> complete(std::string body, completion_reader::on_text told = {});

private:
    struct attempt;
    task<attempt> try_once(const std::string& body, const completion_reader::on_text& told,
                           std::chrono::steady_clock::time_point deadline);
    task<completion> read_answer(http::upstream_answer& answer, const completion_reader::on_text& told,
                                 std::chrono::steady_clock::time_point first_word_until);
    task<void> ask(const std::string& body, const completion_reader::on_text& told, attempt& out,
                   std::chrono::steady_clock::time_point first_word_until);
    void note(std::string_view outcome, std::chrono::steady_clock::duration took);
    void show_circuit();

    const copy_settings& settings_;
    http::upstream server_;
    circuit_breaker circuit_;
    retry_budget budget_;
    std::size_t running_ = 0;
    bool shown_open_ = false;
    observe::counter_family& calls_;
    observe::counter retries_;
    observe::counter_family& tokens_;
    observe::histogram duration_;
    observe::gauge open_circuits_;
    logger log_;
};

} // namespace tiktrend::gateway
