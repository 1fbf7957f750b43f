#include <tiktrend/base/json_text.hpp>
#include <tiktrend/queue/cancellation.hpp>
#include <tiktrend/redis/subscriber.hpp>

#include <fmt/format.h>
#include <simdjson.h>

namespace tiktrend::queue {
namespace {

std::string channel_of(std::string_view key_base) {
    return std::string{key_base} + "cancel";
}

std::string wish_key(const queue& q, std::string_view id) {
    return fmt::format("cancelled:{}{}", q.key_base(), id);
}

task<redis::reply> run(queue& q, redis::command c, std::string_view what) {
    auto reply = co_await q.client().exec(c);
    if (reply.is_error())
        throw redis::server_error{redis::errc::protocol_error, q.client().where().to_string(),
                                  fmt::format("{}: {}", what, reply.text())};
    co_return reply;
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
    const auto reply = co_await run(q, redis::command{"PUBLISH", channel, message}, "PUBLISH " + channel);
    co_return reply.integer();
}

task<void> keep_cancellation(queue& q, const std::string& id, std::string_view reason,
                             std::chrono::milliseconds life) {
    const auto key = wish_key(q, id);
    const auto ms = std::to_string(life.count());
    co_await run(q, redis::command{"SET", key, reason, "PX", ms}, "SET " + key);
}

task<std::optional<std::string>> kept_cancellation(queue& q, const std::string& id) {
    const auto key = wish_key(q, id);
    const auto reply = co_await run(q, redis::command{"GET", key}, "GET " + key);
    if (reply.is_nil()) co_return std::nullopt;
    co_return std::string{reply.text()};
}

task<void> forget_cancellation(queue& q, const std::string& id) {
    const auto key = wish_key(q, id);
    co_await run(q, redis::command{"DEL", key}, "DEL " + key);
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
