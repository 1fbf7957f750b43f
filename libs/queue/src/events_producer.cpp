#include "keys.hpp"
#include "options_check.hpp"
#include "stored_options.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/queue/events_producer.hpp>

namespace tiktrend::queue {
namespace {

constexpr std::size_t most_fields = 1000;

[[noreturn]] void refuse(std::string field, std::string value, std::string rule) {
    throw input_error(errc::invalid_event, std::move(field), std::move(value), std::move(rule));
}

/// What Node's followers parse, and stop at for good if they cannot.
bool must_be_json(std::string_view event, std::string_view field) noexcept {
    return (event == "completed" && field == "returnvalue") || (event == "progress" && field == "data");
}

} // namespace

struct queue_events_producer::impl {
    void check(const std::string& event, const fields& values) {
        if (event.empty() || !is_valid_utf8(event)) refuse("event", quoted(event), "a text in UTF-8");
        if (values.size() > most_fields) refuse("fields", std::to_string(values.size()), "at most 1000");
        for (const auto& [name, value] : values) {
            if (name.empty() || name == "event")
                refuse("field name", quoted(name), "a text that is not \"event\"");
            if (!is_valid_utf8(name) || !is_valid_utf8(value))
                refuse("field " + quoted(name), quoted(value), "UTF-8");
            if (must_be_json(event, name) && !json.is_json(value))
                refuse("field " + quoted(name), quoted(value),
                       "JSON, as followers of \"" + event + "\" parse it");
        }
    }

    redis::client& client;
    queue_keys keys;
    json_checker json{};
};

queue_events_producer::queue_events_producer(redis::client& client, std::string queue_name,
                                             std::string prefix)
    : impl_{std::make_unique<impl>(client, queue_keys{prefix, queue_name})} {}
queue_events_producer::~queue_events_producer() = default;

task<std::string> queue_events_producer::publish(std::string event_name, fields values,
                                                 std::int64_t max_events) {
    impl_->check(event_name, values);
    if (max_events < 1) refuse("max_events", std::to_string(max_events), "1 or more");
    redis::command c{"XADD", impl_->keys.events(), "MAXLEN", "~", max_events, "*", "event", event_name};
    for (const auto& [name, value] : values) {
        c.arg(name).arg(value);
    }
    const auto reply = co_await impl_->client.exec(c);
    if (reply.is_error()) throw std::runtime_error("queue events: " + std::string{reply.text()});
    co_return std::string{reply.text()};
}

} // namespace tiktrend::queue
