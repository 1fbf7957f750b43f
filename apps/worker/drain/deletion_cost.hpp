#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/fetch/client.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace tiktrend::worker {

struct deletion_cost_options {
    deletion_cost_options() {}
    std::string api_url; ///< of the Kubernetes API; empty: off
    std::string pod, pod_namespace;
    std::string credentials_dir; ///< with `token` and `ca.crt`; the token is read anew for each request
    std::chrono::milliseconds every{
        60'000}; ///< how often the number of running jobs is looked at, and said at most
};

/// Writes how many jobs run here into the pod's annotation controller.kubernetes.io/pod-deletion-cost, so
/// that a fleet that shrinks loses its idle pods first (kubernetes.io, ReplicaSet, "Pod deletion cost").
/// Patched only when idle turns busy, busy idle, or the number changes by half; a patch that fails is tried
/// again at the next look and logged once.
class deletion_cost {
public:
    deletion_cost(asio::any_io_executor executor, deletion_cost_options options, logger log);

    /// Until cancelled. `active` is asked on the executor.
    task<void> run(std::function<std::size_t()> active);
    task<void> stop();

private:
    task<bool> patch(std::size_t cost);

    deletion_cost_options options_;
    logger log_;
    fetch::client client_;
    bool is_failing_ = false;
};

/// True if a cost of `now` is worth a request where `said` is what the API knows.
bool is_worth_saying(std::size_t said, std::size_t now) noexcept;

} // namespace tiktrend::worker
