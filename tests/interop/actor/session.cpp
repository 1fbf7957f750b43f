#include "session.hpp"

#include "processor.hpp"
#include "wire_trees.hpp"

#include <tiktrend/queue/events_producer.hpp>

#include <stdexcept>

namespace tiktrend::interop {
namespace {

std::string text(const json::object& request, std::string_view name) {
    return std::string{request.at(name).as_string()};
}

redis::client_options patient() {
    redis::client_options o;
    o.wait_for_connection = true;
    return o;
}

} // namespace

session::session(asio::any_io_executor executor, redis::address where)
    : executor_{executor}, client_{executor, std::move(where), patient()}, gate_{executor} {}

task<void> session::stop() {
    for (auto& [name, w] : workers_)
        co_await stop_worker(*w);
    co_await client_.stop();
}

task<void> session::stop_worker(running_worker& w) {
    if (std::exchange(w.stopped, true)) co_return;
    // As Node's Worker.close(): running jobs may end.
    const auto now = std::chrono::steady_clock::now();
    co_await w.worker->stop(now + std::chrono::seconds{10}, now + std::chrono::seconds{12});
}

task<queue::queue*> session::queue_named(std::string name) {
    auto& slot = queues_[name];
    if (!slot) {
        slot = std::make_unique<queue::queue>(client_, name);
        co_await slot->initialize();
    }
    co_return slot.get();
}

void session::start_worker(const json::object& request) {
    auto entry = std::make_unique<running_worker>();
    auto options = worker_options_of(request.at("options").as_object());
    const auto name = text(request, "name");
    options.name = name;
    entry->worker = std::make_unique<queue::worker>(executor_, client_.where(), text(request, "queue"),
                                                    make_processor(gate_, entry->ran), std::move(options));
    entry->worker->start();
    workers_[name] = std::move(entry);
}

task<json::value> session::call(json::object request) {
    const auto verb = text(request, "call");
    if (verb == "start_worker") {
        start_worker(request);
        co_return nullptr;
    }
    if (verb == "stop_worker") {
        co_await stop_worker(*workers_.at(text(request, "name")));
        co_return nullptr;
    }
    if (verb == "ran") co_return workers_.at(text(request, "name"))->ran;
    if (verb == "release") {
        gate_.notify_all();
        co_return nullptr;
    }
    if (verb == "add_flow") {
        queue::flow_producer flows{client_};
        co_return describe(co_await flows.add(flow_node_of(request.at("flow").as_object())));
    }
    if (verb == "flow") {
        queue::flow_producer flows{client_};
        const auto tree = co_await flows.get_flow(text(request, "queue"), text(request, "id"));
        if (!tree) throw std::runtime_error("no job " + text(request, "id"));
        co_return describe(*tree);
    }
    if (verb == "publish_event") {
        queue::queue_events_producer producer{client_, text(request, "queue")};
        queue::queue_events_producer::fields fields;
        for (const auto& [name, value] : request.at("fields").as_object())
            fields.emplace_back(std::string{name}, std::string{value.as_string()});
        co_return json::string{co_await producer.publish(text(request, "name"), std::move(fields))};
    }
    auto* q = co_await queue_named(text(request, "queue"));
    co_return co_await queue_call(*q, verb, request);
}

task<json::value> session::queue_call(queue::queue& q, std::string_view verb, const json::object& request) {
    if (verb == "open") co_return nullptr;
    if (verb == "add") co_return json::string{co_await q.add(new_job_of(request))};
    if (verb == "add_bulk") {
        std::vector<queue::new_job> jobs;
        for (const auto& job : request.at("jobs").as_array())
            jobs.push_back(new_job_of(job.as_object()));
        json::array ids;
        for (const auto& id : co_await q.add_bulk(std::move(jobs)))
            ids.emplace_back(id.value());
        co_return ids;
    }
    if (verb == "job") {
        const auto found = co_await q.get_job_and_state(text(request, "id"));
        if (!found) throw std::runtime_error("no job " + text(request, "id"));
        co_return describe(found->first, found->second);
    }
    if (verb == "counts") co_return describe(co_await q.counts());
    if (verb == "ids") {
        json::array ids;
        for (const auto& id : co_await q.ids(job_state_of(text(request, "state")), 0, -1, true))
            ids.emplace_back(id);
        co_return ids;
    }
    if (verb == "logs") {
        const auto logs = co_await q.logs(text(request, "id"));
        co_return json::object{{"logs", json::array(logs.rows.begin(), logs.rows.end())},
                               {"count", logs.count}};
    }
    if (verb == "upsert_scheduler") {
        const auto made = co_await queue::job_schedulers{q}.upsert(
            text(request, "id"), repeat_options_of(request.at("repeat").as_object()),
            job_template_of(request.at("template").as_object()));
        co_return made ? json::value(made->id) : json::value(nullptr);
    }
    if (verb == "remove_scheduler") co_return co_await queue::job_schedulers{q}.remove(text(request, "id"));
    if (verb == "schedulers") {
        json::array all;
        for (const auto& s : co_await queue::job_schedulers{q}.list(0, -1, true))
            all.push_back(describe(s));
        co_return all;
    }
    if (verb == "is_paused") co_return co_await q.is_paused();
    if (verb == "pause")
        co_await q.pause();
    else if (verb == "resume")
        co_await q.resume();
    else if (verb == "promote")
        co_await q.promote(text(request, "id"));
    else if (verb == "remove")
        co_await q.remove(text(request, "id"));
    else if (verb == "retry")
        co_await q.retry(text(request, "id"), job_state_of(text(request, "from")));
    else
        throw std::runtime_error("the actor does not know the call " + std::string{verb});
    co_return nullptr;
}

} // namespace tiktrend::interop
