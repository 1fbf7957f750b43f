#include "workload.hpp"

namespace tiktrend::interop {

workload::random_job workload::make() {
    json::object data{{"work_ms", below(25)}, {"result", json::object{{"n", below(1000)}}}};
    json::object opts;
    expectation e;
    e.state = "completed";
    if (below(3) == 0) opts["priority"] = 1 + below(4);
    if (below(4) == 0) opts["delay"] = 1 + below(400);
    if (below(6) == 0) opts["lifo"] = true;
    if (below(5) == 0) data["progress"] = json::array{10, json::object{{"page", 2}}};
    if (below(5) == 0) data["logs"] = json::array{"a", "b"};
    if (below(2) == 0) {
        e.attempts = 1 + below(4);
        opts["attempts"] = e.attempts;
        const auto fails = below(4);
        data["fail_times"] = fails;
        data["reason"] = "broken";
        if (fails >= e.attempts) {
            e.state = "failed";
            e.reason = "broken";
        }
        e.attempts_made = std::min(fails + 1, e.attempts);
        if (below(2) == 0) {
            e.backoff_ms = 20 + below(80);
            opts["backoff"] =
                json::object{{"type", below(2) ? "fixed" : "exponential"}, {"delay", e.backoff_ms}};
        }
    } else if (below(8) == 0) {
        e = {"failed", 1, 5, 0, false, "for good"};
        opts["attempts"] = 5;
        data["unrecoverable"] = true;
        data["reason"] = e.reason;
    }
    if (below(10) == 0) {
        e.is_removed = true;
        opts["removeOnComplete"] = true;
        opts["removeOnFail"] = true;
    }
    return {{{"name", "job"}, {"data", std::move(data)}, {"opts", std::move(opts)}}, std::move(e)};
}

void workload::add(actor& who) {
    const auto roll = below(10);
    if (roll == 0) {
        json::array jobs;
        std::vector<expectation> expected;
        for (auto n = 2 + below(6); n > 0; --n) {
            auto job = make();
            jobs.push_back(std::move(job.text));
            expected.push_back(std::move(job.expected));
        }
        const auto ids = who.call("add_bulk", {{"queue", queue_}, {"jobs", std::move(jobs)}});
        for (std::size_t i = 0; i < expected.size(); ++i)
            expect(std::string{ids.as_array().at(i).as_string()}, std::move(expected[i]));
        return;
    }
    auto job = make();
    if (roll == 1 && !job.expected.is_removed) { // one that was removed could come back
        job.text["opts"].as_object()["jobId"] = "own-" + std::to_string(with_own_id_.size());
        with_own_id_.push_back(job);
    } else if (roll == 2 && !with_own_id_.empty()) {
        job = with_own_id_[static_cast<std::size_t>(below(static_cast<std::int64_t>(with_own_id_.size())))];
    }
    const auto id = interop::add(who, queue_, job.text["data"].as_object(), job.text["opts"].as_object());
    expect(id, job.expected);
}

void workload::add_flow(actor& who) {
    static constexpr const char* policies[]{"failParentOnFailure", "ignoreDependencyOnFailure",
                                            "removeDependencyOnFailure", "continueParentOnFailure"};
    const std::string policy = policies[below(4)];
    const bool is_failing = below(2) == 0;
    json::array children;
    // A parent that goes on without its other children must not complete before them (code -4).
    const auto count = policy == "continueParentOnFailure" ? 1 : 1 + below(3);
    for (std::int64_t i = 0; i < count; ++i) {
        json::object data{{"work_ms", below(20)}, {"result", i}};
        json::object opts{{policy, true}};
        if (i == 0 && is_failing) {
            data["unrecoverable"] = true;
            data["reason"] = "child broken";
        }
        children.push_back(
            json::object{{"name", "child"}, {"queueName", queue_}, {"data", data}, {"opts", opts}});
    }
    const auto tree = who.call("add_flow", {{"flow",
                                             {{"name", "parent"},
                                              {"queueName", queue_},
                                              {"data", {{"result", "whole"}}},
                                              {"opts", json::object{}},
                                              {"children", std::move(children)}}}});
    const auto& root = tree.as_object();
    const auto& ids = root.at("children").as_array();
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const bool fails = i == 0 && is_failing;
        expect(std::string{ids[i].at("id").as_string()},
               {fails ? "failed" : "completed", 1, 0, 0, false, fails ? "child broken" : ""});
    }
    const bool parent_fails = is_failing && policy == "failParentOnFailure";
    expect(std::string{root.at("id").as_string()},
           {parent_fails ? "failed" : "completed", 1, 0, 0, false, ""});
}

} // namespace tiktrend::interop
