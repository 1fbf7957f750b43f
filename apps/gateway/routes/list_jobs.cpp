#include "routes/list_jobs.hpp"

#include "job_json.hpp"
#include "job_owner.hpp"
#include "private_json.hpp"
#include "query_reader.hpp"
#include "scrape_order.hpp"
#include "scripts.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/http/problem.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace tiktrend::gateway {
namespace {

using queue::job_state;

constexpr std::int64_t default_limit = 20;
constexpr std::int64_t max_limit = 100;
constexpr std::int64_t step = 200;           ///< ids read at once; also how far a list may have moved
constexpr std::int64_t max_looked_at = 2000; ///< per request

/// What changes soonest comes first.
constexpr std::array<job_state, 7> order{job_state::active,   job_state::prioritized,      job_state::waiting,
                                         job_state::delayed,  job_state::waiting_children, job_state::failed,
                                         job_state::completed};

/// Where a page ended: in which state, after how many ids, and after which.
struct place {
    std::size_t state = 0; ///< index into `order`
    std::int64_t position = 0;
    std::string last;

    std::string encode() const { return std::to_string(state) + ':' + std::to_string(position) + ':' + last; }

    static std::optional<place> decode(std::string_view text) {
        place out;
        const auto number = [&text](auto& value) {
            const auto colon = text.find(':');
            if (colon == std::string_view::npos) return false;
            const auto [end, ec] = std::from_chars(text.data(), text.data() + colon, value);
            const bool is_whole = ec == std::errc{} && end == text.data() + colon;
            text.remove_prefix(colon + 1);
            return is_whole;
        };
        if (!number(out.state) || !number(out.position) || out.state >= order.size() || out.position < 0)
            return std::nullopt;
        out.last = text;
        return out;
    }
};

struct job_query {
    std::optional<job_state> state;
    std::int64_t limit = default_limit;
    place from;
    std::string scope; ///< binds cursors to the filter and the caller
};

std::size_t index_of(job_state s) {
    return static_cast<std::size_t>(std::find(order.begin(), order.end(), s) - order.begin());
}

job_query read_query(const http::request& r, const cursor_signer& cursors) {
    query_reader in{r};
    job_query out;
    const auto state = in.one_of(
        "state", {"active", "prioritized", "waiting", "delayed", "waiting-children", "failed", "completed"});
    for (const auto s : order)
        if (state && queue::to_string(s) == *state) out.state = s;
    if (out.state) out.from.state = index_of(*out.state);
    out.limit = in.integer("limit", 1, max_limit).value_or(default_limit);
    out.scope = "jobs " + principal_of(r).id + ' ' + state.value_or("");
    if (const auto cursor = in.text("cursor", 1000)) {
        const auto payload = cursors.open(out.scope, *cursor);
        const auto from = payload ? place::decode(*payload) : std::nullopt;
        if (from)
            out.from = *from;
        else
            in.fail("cursor", "The cursor does not belong to this list; start again without it", "cursor");
    }
    in.finish();
    return out;
}

/// Collects one page.
class lister {
public:
    lister(queue::queue& jobs, const principal& who, job_query q)
        : jobs_{jobs}, who_{who}, query_{std::move(q)} {}

    task<void> run() {
        at_ = query_.from;
        if (!at_.last.empty()) co_await find_last();
        while (!is_full() && looked_at_ < max_looked_at) {
            const auto ids =
                co_await jobs_.ids(order[at_.state], at_.position, at_.position + step - 1, false);
            co_await take(ids);
            if (is_full() || static_cast<std::int64_t>(ids.size()) == step) continue;
            if (query_.state || at_.state + 1 == order.size()) {
                ended_ = true;
                co_return;
            }
            at_ = {at_.state + 1, 0, {}};
        }
    }

    const std::vector<std::string>& items() const noexcept { return items_; }
    std::optional<std::string> next() const { return ended_ ? std::nullopt : std::optional{at_.encode()}; }

private:
    bool is_full() const { return static_cast<std::int64_t>(items_.size()) >= query_.limit; }

    /// New jobs push the others back, jobs that leave pull them forward.
    task<void> find_last() {
        const auto first = std::max<std::int64_t>(0, at_.position - step);
        const auto ids = co_await jobs_.ids(order[at_.state], first, at_.position + step - 1, false);
        const auto it = std::find(ids.begin(), ids.end(), at_.last);
        if (it != ids.end()) at_.position = first + (it - ids.begin()) + 1;
    }

    /// Which of them may be the caller's: others are passed over without reading them.
    task<std::vector<bool>> choose(const std::vector<std::string>& ids) {
        std::vector<bool> out(ids.size(), who_.is_admin());
        if (who_.is_admin() || ids.empty()) co_return out;
        std::vector<std::string> args;
        args.push_back(owner_member(who_));
        args.insert(args.end(), ids.begin(), ids.end());
        const auto found =
            co_await run_script(jobs_.client(), jobs_with_script(), jobs_.key_base(), std::move(args));
        for (std::size_t i = 0; i < found.size(); ++i)
            out.at(static_cast<std::size_t>(found[i].integer()) - 1) = true;
        co_return out;
    }

    task<void> take(const std::vector<std::string>& ids) {
        const auto chosen = co_await choose(ids);
        // As many at once as the page still lacks: their scripts travel together.
        for (std::size_t i = 0; i < ids.size() && !is_full();) {
            const auto room = static_cast<std::size_t>(query_.limit) - items_.size();
            std::vector<std::size_t> wanted;
            const auto begin = i;
            for (; i < ids.size() && wanted.size() < room; ++i)
                if (chosen[i]) wanted.push_back(i);
            std::vector<found> chunk(wanted.size());
            task_group reads{jobs_.client().get_executor(),
                             [this](std::string_view, std::exception_ptr e) { failure_ = std::move(e); }};
            for (std::size_t k = 0; k < wanted.size(); ++k)
                reads.spawn("job", read(jobs_, ids[wanted[k]], chunk[k]));
            co_await reads.join();
            if (failure_) std::rethrow_exception(failure_);
            for (const auto& f : chunk)
                if (f && may_see_job(who_, f->first)) items_.push_back(job_to_json(f->first, f->second));
            looked_at_ += static_cast<std::int64_t>(i - begin);
            at_.position += static_cast<std::int64_t>(i - begin);
            at_.last = ids[i - 1];
        }
    }

    using found = std::optional<std::pair<queue::job_record, job_state>>;
    static task<void> read(queue::queue& jobs, std::string id, found& out) {
        out = co_await jobs.get_job_and_state(std::move(id));
    }

    queue::queue& jobs_;
    const principal& who_;
    job_query query_;
    place at_;
    bool ended_ = false;
    std::int64_t looked_at_ = 0;
    std::vector<std::string> items_;
    std::exception_ptr failure_;
};

task<http::response> answer(queue::queue& jobs, const cursor_signer& cursors, http::request& r) {
    auto query = read_query(r, cursors);
    const auto scope = query.scope;
    const auto state = query.state;
    const auto limit = query.limit;
    lister list{jobs, principal_of(r), std::move(query)};
    co_await list.run();
    std::string body = R"({"next_cursor":)";
    std::string cursor;
    if (const auto next = list.next()) {
        cursor = cursors.sign(scope, *next);
        append_json_string(body, cursor);
    } else {
        body += "null";
    }
    body += R"(,"items":[)";
    for (std::size_t i = 0; i < list.items().size(); ++i) {
        if (i) body += ',';
        body += list.items()[i];
    }
    auto response = private_json(200, body + "]}");
    if (!cursor.empty())
        response.headers.set("Link",
                             "</scraping/jobs?" +
                                 (state ? "state=" + std::string{queue::to_string(*state)} + '&' : "") +
                                 "limit=" + std::to_string(limit) + "&cursor=" + cursor + ">; rel=\"next\"");
    co_return response;
}

} // namespace

http::handler list_jobs(queue::queue& jobs, const cursor_signer& cursors) {
    return [&jobs, &cursors](http::request& r) { return answer(jobs, cursors, r); };
}

} // namespace tiktrend::gateway
