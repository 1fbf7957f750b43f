#include "cluster.hpp"
#include "lane.hpp"

#include <tiktrend/redis/client.hpp>

#include <cassert>

namespace tiktrend::redis {

/// One lane, or a cluster of them.
struct client::impl {
    impl(const asio::any_io_executor& ex, address a, client_options o) : where{std::move(a)}, executor{ex} {
        if (where.kind == topology::cluster)
            nodes.emplace(ex, where, std::move(o));
        else
            single.emplace(ex, where, std::move(o));
    }

    task<std::vector<lane*>> every_lane() {
        if (nodes) return nodes->every_lane();
        return only_lane();
    }
    task<std::vector<lane*>> only_lane() { co_return std::vector<lane*>{&*single}; }

    address where;
    asio::any_io_executor executor;
    std::optional<lane> single;
    std::optional<cluster> nodes;
};

client::client(asio::any_io_executor executor, address where, client_options options)
    : impl_{std::make_unique<impl>(executor, std::move(where), std::move(options))} {}

client::~client() = default;

void client::start() {
    if (impl_->single)
        impl_->single->start();
    else
        impl_->nodes->start();
}

task<void> client::stop() {
    return impl_->single ? impl_->single->stop() : impl_->nodes->stop();
}

task<void> client::wait_connected(std::chrono::milliseconds limit) {
    return impl_->single ? impl_->single->wait_connected(limit) : impl_->nodes->wait_connected(limit);
}

bool client::is_connected() const noexcept {
    return impl_->single ? impl_->single->is_connected() : impl_->nodes->is_connected();
}

task<reply> client::exec(const command& c) {
    return impl_->single ? impl_->single->exec(c) : impl_->nodes->exec(c);
}

task<std::vector<reply>> client::exec_all(std::span<const command> commands) {
    return impl_->single ? impl_->single->exec_all(commands) : impl_->nodes->exec_all(commands);
}

task<std::vector<reply>> client::exec_on_every_node(const command& c) {
    std::vector<reply> replies;
    for (auto* l : co_await impl_->every_lane())
        replies.push_back(co_await l->exec(c));
    co_return replies;
}

task<std::vector<std::string>> client::scan(std::string pattern, std::size_t most) {
    std::vector<std::string> keys;
    for (auto* l : co_await impl_->every_lane()) {
        std::string cursor = "0";
        do {
            const command c{"SCAN", cursor, "MATCH", pattern, "COUNT", 1000};
            const auto page = co_await l->exec(c);
            if (page.is_error())
                throw server_error{errc::not_ready, l->line().where().to_string(), std::string{page.text()}};
            cursor = page[0].text();
            for (std::size_t i = 0; i < page[1].size() && keys.size() < most; ++i)
                keys.emplace_back(page[1][i].text());
        } while (cursor != "0" && keys.size() < most);
    }
    co_return keys;
}

task<reply> client::eval(const script& s, std::span<const std::string_view> keys,
                         std::span<const std::string_view> args) {
    return impl_->single ? impl_->single->eval(s, keys, args) : impl_->nodes->eval(s, keys, args);
}

const address& client::where() const noexcept {
    return impl_->where;
}
std::uint64_t client::connects() const noexcept {
    return impl_->single ? impl_->single->connects() : impl_->nodes->connects();
}
asio::any_io_executor client::get_executor() const noexcept {
    return impl_->executor;
}

} // namespace tiktrend::redis
