#include "routes/start_scraping.hpp"

#include "json_writer.hpp"
#include "middleware/idempotency.hpp"
#include "private_json.hpp"
#include "scrape_order.hpp"

#include <tiktrend/http/problem.hpp>

#include <fmt/format.h>

namespace tiktrend::gateway {
namespace {

constexpr std::size_t max_batch = 1000;
constexpr std::size_t max_item_errors = 10; ///< told of one item of a batch
constexpr std::size_t kept_per_job =
    1024; ///< bytes of a batch's answer that are kept for each job it started

struct services {
    job_intake& jobs;
    const definition_shelf& definitions;
    queue::job_options defaults;
    quota_book& quotas;
};

scrape_order read_start_request(const http::request& r, const services& s) {
    thread_local simdjson::dom::parser parser;
    json_object_reader body{parse_json_object(parser, r), {"body"}};
    auto out = read_scrape_order(body, *s.definitions.current(), s.defaults);
    body.finish();
    return out;
}

void write_job_link(json_object_writer& w, const std::string& id) {
    w.text("job_id", id);
    w.text("status_url", "/scraping/jobs/" + id);
}

task<http::response> start(const services& s, http::request& r) {
    auto order = read_start_request(r, s);
    if (!s.jobs.knows_backlog()) co_await s.jobs.ask_backlog();
    s.jobs.refuse_when_full();
    if (order.source->retired) throw retired_source(*order.source);
    carry_trace(r, order.options);
    const auto& who = principal_of(r);
    // A repetition that runs again, since the first one's end was lost, finds the job that is there.
    auto* once = r.attached<idempotent_request>();
    if (once) order.options.id = once->name;
    auto job = scrape_job(std::move(order), who, r.request_id);
    auto charge = s.quotas.take_unlimited(who, catalog::usage_kind::scrapes);
    if (!charge) charge = co_await s.quotas.take(who, catalog::usage_kind::scrapes);
    if (once) once->has_begun = true;
    std::string id;
    try {
        id = co_await s.jobs.add(std::move(job));
    } catch (const system_error& e) {
        give_back_unless_done(s.quotas, *charge, e.code());
        throw;
    }
    json_object_writer w;
    write_job_link(w, id);
    auto response = private_json(202, w.take());
    response.headers.set("Location", "/scraping/jobs/" + id);
    co_return response;
}

/// One item of a batch: a job to add, or why it is refused.
struct batch_item {
    std::optional<queue::new_job> job;
    std::optional<http::problem> refusal;
};

batch_item read_item(simdjson::dom::element e, std::size_t index, const http::request& r, const services& s) {
    batch_item out;
    const std::vector<std::string> loc{"body", "items", std::to_string(index)};
    simdjson::dom::object object;
    if (e.get(object) != simdjson::SUCCESS) {
        out.refusal = http::validation_problem({{loc, "Input should be an object", "dict_type"}});
        return out;
    }
    json_object_reader reader{object, loc, max_item_errors};
    auto order = read_scrape_order(reader, *s.definitions.current(), s.defaults);
    auto errors = reader.take_errors();
    if (!errors.empty()) {
        out.refusal = http::validation_problem(std::move(errors));
    } else if (order.source->retired) {
        out.refusal = retired_source(*order.source);
    } else {
        carry_trace(r, order.options);
        if (const auto* once = r.attached<idempotent_request>())
            order.options.id = fmt::format("{}-{}", once->name, index);
        out.job = scrape_job(std::move(order), principal_of(r), r.request_id);
    }
    return out;
}

std::vector<batch_item> read_batch(const http::request& r, const services& s) {
    thread_local simdjson::dom::parser parser;
    json_object_reader body{parse_json_object(parser, r), {"body"}};
    std::vector<batch_item> out;
    simdjson::dom::array items;
    if (const auto member = body.any("items"); !member) {
        body.fail("items", "Field required", "missing");
    } else if (member->get(items) != simdjson::SUCCESS) {
        body.fail("items", "Input should be an array", "list_type");
    } else if (items.size() == 0) {
        body.fail("items", "List should have at least 1 item", "too_short");
    } else if (items.size() > max_batch) {
        body.fail("items", fmt::format("List should have at most {} items", max_batch), "too_long");
    } else {
        for (const auto e : items)
            out.push_back(read_item(e, out.size(), r, s));
    }
    body.finish();
    return out;
}

http::problem not_added(const error_code& e) {
    return {422, "job_refused", "The queue refuses this job: " + e.message()};
}

struct batch_outcome {
    std::string items; ///< JSON: one id or problem per item
    std::int64_t accepted = 0;
};

batch_outcome outcome_of(const http::request& r, std::vector<batch_item>& items,
                         std::vector<result<std::string>>& added) {
    batch_outcome out;
    auto& list = out.items;
    list = "[";
    std::size_t next = 0;
    for (auto& item : items) {
        if (list.size() > 1) list += ',';
        json_object_writer w;
        if (item.job) {
            const auto& outcome = added[next++];
            if (outcome) {
                write_job_link(w, *outcome);
                ++out.accepted;
            } else {
                item.refusal = not_added(outcome.error());
            }
        }
        if (item.refusal) w.json("problem", item.refusal->to_response(r.request_id).body);
        list += w.take();
    }
    list += ']';
    return out;
}

http::problem all_refused(std::string items) {
    return http::problem(422, "batch_refused", "None of the items was accepted; each says why.")
        .with_member("items", std::move(items));
}

task<http::response> start_batch(const services& s, http::request& r) {
    auto items = read_batch(r, s);
    auto* once = r.attached<idempotent_request>();
    std::vector<queue::new_job> jobs;
    for (auto& item : items)
        if (item.job) jobs.push_back(*item.job);
    std::vector<result<std::string>> added;
    if (!jobs.empty()) {
        if (!s.jobs.knows_backlog()) co_await s.jobs.ask_backlog();
        s.jobs.refuse_when_full();
        const auto n = static_cast<std::int64_t>(jobs.size());
        const auto charge = co_await s.quotas.take(principal_of(r), catalog::usage_kind::scrapes, n);
        if (once) once->has_begun = true;
        try {
            added = co_await s.jobs.add_bulk(std::move(jobs));
        } catch (const system_error& e) {
            give_back_unless_done(s.quotas, charge, e.code(), n);
            throw;
        }
        const auto refused = std::count_if(added.begin(), added.end(), [](const auto& a) { return !a; });
        if (refused > 0) s.quotas.give_back(charge, refused);
    }
    auto outcome = outcome_of(r, items, added);
    if (outcome.accepted == 0) throw all_refused(std::move(outcome.items));
    // Kept answers are paid for with quota: problems of others in the batch make none longer.
    if (once) once->max_kept_body = 512 + static_cast<std::size_t>(outcome.accepted) * kept_per_job;
    json_object_writer w;
    w.integer("accepted", outcome.accepted);
    w.integer("refused", static_cast<std::int64_t>(items.size()) - outcome.accepted);
    w.json("items", outcome.items);
    co_return private_json(202, w.take());
}

} // namespace

http::handler start_scraping(job_intake& jobs, const definition_shelf& definitions,
                             queue::job_options defaults, quota_book& quotas) {
    // Shared, since a std::function copies what it holds.
    auto s = std::make_shared<const services>(services{jobs, definitions, std::move(defaults), quotas});
    return [s = std::move(s)](http::request& r) { return start(*s, r); };
}

http::handler start_scraping_batch(job_intake& jobs, const definition_shelf& definitions,
                                   queue::job_options defaults, quota_book& quotas) {
    auto s = std::make_shared<const services>(services{jobs, definitions, std::move(defaults), quotas});
    return [s = std::move(s)](http::request& r) { return start_batch(*s, r); };
}

} // namespace tiktrend::gateway
