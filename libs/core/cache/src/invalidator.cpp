#include "scripts.hpp"

#include <tiktrend/cache/invalidator.hpp>
#include <tiktrend/cache/key.hpp>

#include <vector>

namespace tiktrend::cache {
namespace {

constexpr std::size_t items_per_call = 500;

std::vector<std::string_view> views_of(const std::vector<std::string>& words) {
    return {words.begin(), words.end()};
}

/// Runs a script whose error replies are bugs of ours or of the server's configuration, so they throw.
task<redis::reply> run(redis::client& far, const redis::script& s, const std::vector<std::string>& keys,
                       const std::vector<std::string>& args) {
    const auto key_views = views_of(keys);
    const auto arg_views = views_of(args);
    auto r = co_await far.eval(s, key_views, arg_views);
    if (r.is_error())
        throw redis::server_error{redis::errc::protocol_error, far.where().to_string(),
                                  s.name() + ": " + std::string{r.text()}};
    co_return r;
}

} // namespace

task<void> invalidator::invalidate(std::string_view scope, std::span<const std::string> ids,
                                   std::uint64_t lsn, bool lists) {
    const std::string name{scope};
    const std::vector<std::string> all{ids.begin(), ids.end()};
    std::size_t done = 0;
    do {
        const auto n = std::min(items_per_call, all.size() - done);
        std::vector<std::string> keys{lists_guard_key(name)};
        for (std::size_t i = done; i < done + n; ++i) {
            keys.push_back(one_guard_key(name, all[i]));
            keys.push_back(one_value_key(name, all[i]));
            keys.push_back(one_old_key(name, all[i]));
        }
        done += n;
        // The lists go last: a list that is loaded between two calls would show items of the second as they
        // were.
        const bool with_lists = lists && done == all.size();
        const std::vector<std::string> args{fresh_token(), lsn_text(lsn),
                                            std::to_string(std::chrono::milliseconds{memory}.count()),
                                            with_lists ? "1" : "0"};
        co_await run(far_, invalidate_script(), keys, args);
    } while (done < all.size());
}

task<void> invalidator::invalidate_all(std::string_view scope, std::uint64_t lsn) {
    const std::vector<std::string> keys{era_key(scope)};
    const std::vector<std::string> args{fresh_token(), "1", lsn_text(lsn)};
    co_await run(far_, clear_script(), keys, args);
}

task<void> invalidator::clear(std::string_view scope, std::uint64_t lsn) {
    const std::vector<std::string> keys{era_key(scope)};
    const std::vector<std::string> args{fresh_token(), "0", lsn_text(lsn)};
    co_await run(far_, clear_script(), keys, args);
}

} // namespace tiktrend::cache
