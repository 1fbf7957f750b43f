#pragma once
#include "outbox/enqueue_settings.hpp"
#include "outbox/replication_barrier.hpp"

#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/base/single_flight.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/catalog/outbox_store.hpp>
#include <tiktrend/observe/registry.hpp>
#include <tiktrend/queue/queue.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace tiktrend::gateway {

/// Of an accepted job: what the queue said about the job itself, and would say again. Anything else is about
/// this moment, so the job stays in the outbox.
bool is_refused_for_good(const error_code& e) noexcept;

/// Takes jobs in as durably as the operator asks, unless too many wait already. Owned by one executor;
/// everything handed in must outlive it. Life: construct, start(), use, co_await stop().
class job_intake {
public:
    /// `relays`: this one also looks for jobs in the outbox that are due (one thread of a gateway does).
    job_intake(asio::any_io_executor executor, queue::queue& jobs, catalog::outbox_store& store,
               enqueue_settings settings, bool relays, observe::registry& metrics, logger log,
               const wall_clock& clock = system_wall_clock());
    ~job_intake();

    void start();
    /// Gives what is under way a moment, then ends it.
    task<void> stop();

    /// Throws problem 503 `queue_full` while too many jobs wait for a worker, by the number that was asked
    /// for last. Before anything is charged.
    void refuse_when_full();
    /// That number is new enough. Else the caller awaits ask_backlog() first.
    bool knows_backlog() const noexcept;
    task<void> ask_backlog();

    /// Adds a job; its id. Throws as queue::add(); with an outbox as pool::query() instead. Problem 503
    /// `not_replicated`: the job is added but too few replicas confirmed it.
    task<std::string> add(queue::new_job job);
    /// As queue::add_bulk(), and as add() for all together.
    task<std::vector<result<std::string>>> add_bulk(std::vector<queue::new_job> jobs);

    /// The jobs are not wanted any more: when this returns they will not be added again. So forget first,
    /// then remove.
    task<void> forget(std::vector<std::string> ids);

private:
    struct handover;
    task<std::string> add_durably(queue::new_job job);
    task<void> write_and_hand_over(std::vector<queue::new_job> jobs);
    task<void> confirm(std::vector<std::string> ids);
    task<void> hand_over(std::shared_ptr<handover> h);
    task<void> relay_loop();
    task<std::size_t> relay_some();
    task<void> relay(std::vector<catalog::outbox_store::claimed> rows);
    task<void> add_wanted(std::vector<queue::new_job> jobs, std::vector<std::string>& present,
                          std::vector<std::string>& over);
    task<void> measure();
    task<void> note_reconnection();

    asio::any_io_executor executor_;
    queue::queue& jobs_;
    catalog::outbox_store& store_;
    enqueue_settings settings_;
    bool is_relay_;
    observe::counter added_, added_again_, relay_errors_, refused_by_queue_, refused_;
    observe::gauge waiting_, oldest_;
    logger log_;
    const wall_clock& clock_;
    std::unique_ptr<replication_barrier> barrier_;
    single_flight backlog_question_;
    std::int64_t backlog_ = 0; ///< when last asked for
    std::chrono::steady_clock::time_point backlog_until_{};
    std::uint64_t connects_ = 0; ///< of the queue's client, when last looked at
    bool needs_all_due_ = false;
    task_group handovers_;
    task_group loops_;
};

} // namespace tiktrend::gateway
