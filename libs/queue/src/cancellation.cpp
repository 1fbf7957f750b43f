#include <tiktrend/base/json_text.hpp>
#include <tiktrend/queue/cancellation.hpp>
#include <tiktrend/redis/subscriber.hpp>

#include <simdjson.h>

namespace tiktrend::queue {
namespace {

std::string channel_of(std::string_view key_base) {
    return std::string{key_base} + "cancel";
}

redis::client_options listener_options(logger log) {
    redis::client_options o;
    o.client_name = "tiktrend-cancellations";
    o.log = std::move(log);
    return o;
}

} // namespace

task<std::int64_t> request_cancellation(queue& q, std::string id, std::string reason) {
    std::string message = R"({"id":)";
    append_json_string(message, id);
    message += R"(,"reason":)";
    append_json_string(message, reason);
    message += '}';
    const auto channel = channel_of(q.key_base());
    const auto reply = co_await q.client().exec(redis::command{"PUBLISH", channel, message});
    if (reply.is_error())
        throw redis::server_error{redis::errc::protocol_error, q.client().where().to_string(),
                                  "PUBLISH " + channel + ": " + std::string{reply.text()}};
    co_return reply.integer();
}

struct cancellation_listener::impl {
    impl(asio::any_io_executor executor, redis::address where, std::string channel, handler h, logger log)
        : on_request{std::move(h)},
          messages{std::move(executor), std::move(where), handlers(), listener_options(log)} {
        messages.subscribe(std::move(channel));
    }

    redis::subscriber::handlers handlers() {
        redis::subscriber::handlers h;
        h.on_message = [this](std::string_view, std::string_view text) { heard(text); };
        return h;
    }

    /// What others publish there is not ours to judge: it is ignored.
    void heard(std::string_view text) {
        simdjson::dom::parser parser;
        simdjson::dom::element message;
        std::string_view id;
        std::string_view reason;
        if (parser.parse(text.data(), text.size()).get(message) != simdjson::SUCCESS ||
            message.at_key("id").get(id) != simdjson::SUCCESS ||
            message.at_key("reason").get(reason) != simdjson::SUCCESS)
            return;
        on_request(id, reason);
    }

    handler on_request;
    redis::subscriber messages;
};

cancellation_listener::cancellation_listener(asio::any_io_executor executor, redis::address where,
                                             std::string queue_name, handler h, std::string prefix,
                                             logger log)
    : impl_{std::make_unique<impl>(std::move(executor), std::move(where),
                                   channel_of(prefix + ':' + queue_name + ':'), std::move(h),
                                   std::move(log))} {}
cancellation_listener::~cancellation_listener() = default;

void cancellation_listener::start() {
    impl_->messages.start();
}
task<void> cancellation_listener::stop() {
    return impl_->messages.stop();
}
bool cancellation_listener::is_connected() const noexcept {
    return impl_->messages.is_connected();
}

} // namespace tiktrend::queue
