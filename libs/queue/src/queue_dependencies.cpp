// queue_getters: the children of a job.
#include "queue_call.hpp"

#include <tiktrend/queue/queue_getters.hpp>

#include <charconv>

namespace tiktrend::queue {
namespace {

struct place {
    std::string suffix;
    std::string_view scan; ///< the command that pages through it
    bool has_values;       ///< field and value in turn
};

place place_of(dependency_kind kind) {
    switch (kind) {
    case dependency_kind::processed:
        return {":processed", "HSCAN", true};
    case dependency_kind::unprocessed:
        return {":dependencies", "SSCAN", false};
    case dependency_kind::ignored:
        return {":failed", "HSCAN", true};
    case dependency_kind::failed:
        break;
    }
    return {":unsuccessful", "ZSCAN", false};
}

task<std::map<std::string, std::string>> read_hash(const queue& q, std::string key) {
    const auto reply = co_await exec_on(q, redis::command{"HGETALL", key});
    std::map<std::string, std::string> out;
    for (std::size_t i = 0; i + 1 < reply.size(); i += 2)
        out.emplace(reply[i].text(), reply[i + 1].text());
    co_return out;
}

} // namespace

task<dependency_counts> queue_getters::dependencies_count(std::string id) {
    check_job_id(id);
    const auto key = keys_of(*queue_).job(id);
    const redis::command commands[]{
        redis::command{"HLEN", key + ":processed"}, redis::command{"SCARD", key + ":dependencies"},
        redis::command{"HLEN", key + ":failed"}, redis::command{"ZCARD", key + ":unsuccessful"}};
    const auto replies = co_await queue_->client().exec_all(commands);
    dependency_counts out;
    out.processed = replies.at(0).integer();
    out.unprocessed = replies.at(1).integer();
    out.ignored = replies.at(2).integer();
    out.failed = replies.at(3).integer();
    co_return out;
}

task<dependency_page> queue_getters::dependencies(std::string id, dependency_kind kind, std::uint64_t cursor,
                                                  std::int64_t count) {
    check_job_id(id);
    check_number("count", count, 1, 10'000);
    const auto from = place_of(kind);
    dependency_page out;
    const auto key = keys_of(*queue_).job(id) + from.suffix;
    if (kind == dependency_kind::failed) { // by rank, in the order in which they failed, as BullMQ
        const auto first = static_cast<std::int64_t>(cursor);
        const auto reply = co_await exec_on(*queue_, redis::command{"ZRANGE", key, first, first + count - 1});
        for (std::size_t i = 0; i < reply.size(); ++i)
            out.keys.emplace_back(reply[i].text());
        if (static_cast<std::int64_t>(reply.size()) == count)
            out.next_cursor = cursor + static_cast<std::uint64_t>(count);
        co_return out;
    }
    const auto reply = co_await exec_on(*queue_, redis::command{from.scan, key, cursor, "COUNT", count});
    const auto next = reply[0].text();
    std::from_chars(next.data(), next.data() + next.size(), out.next_cursor);
    const auto items = reply[1];
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (from.has_values) {
            out.values.emplace_back(items[i].text(), items[i + 1].text());
            ++i;
        } else {
            out.keys.emplace_back(items[i].text());
        }
    }
    co_return out;
}

task<std::map<std::string, std::string>> queue_getters::children_values(std::string id) {
    check_job_id(id);
    co_return co_await read_hash(*queue_, keys_of(*queue_).job(id) + ":processed");
}

task<std::map<std::string, std::string>> queue_getters::ignored_children_failures(std::string id) {
    check_job_id(id);
    co_return co_await read_hash(*queue_, keys_of(*queue_).job(id) + ":failed");
}

task<std::vector<std::string>> queue_getters::failed_children(std::string id) {
    check_job_id(id);
    const auto reply = co_await exec_on(
        *queue_, redis::command{"ZRANGE", keys_of(*queue_).job(id) + ":unsuccessful", 0, -1});
    std::vector<std::string> out;
    for (std::size_t i = 0; i < reply.size(); ++i)
        out.emplace_back(reply[i].text());
    co_return out;
}

} // namespace tiktrend::queue
