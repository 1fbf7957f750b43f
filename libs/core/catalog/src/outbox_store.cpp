#include <tiktrend/catalog/outbox_store.hpp>

namespace tiktrend::catalog {
namespace {

constexpr std::string_view insert_jobs =
    "INSERT INTO job_outbox (queue, job_id, name, data, options, due_at) "
    "SELECT $1::text, j.job_id, j.name, j.data, j.options, now() + $6::bigint * interval '1 millisecond' "
    "FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS j (job_id, name, data, options) "
    "ON CONFLICT (queue, job_id) DO NOTHING";
// Rows that another relay is taking at this moment are skipped, and its due_at keeps us away afterwards.
constexpr std::string_view claim_jobs =
    "WITH due AS (SELECT id FROM job_outbox WHERE queue = $1::text AND due_at <= now() ORDER BY due_at, id "
    "LIMIT $2::bigint FOR UPDATE SKIP LOCKED) "
    "UPDATE job_outbox o SET due_at = now() + $3::bigint * interval '1 millisecond' FROM due WHERE o.id = "
    "due.id "
    "RETURNING o.job_id, o.name, o.data, o.options, o.relays > 0, EXISTS (SELECT FROM scrape_runs r "
    "WHERE r.job_id = o.job_id AND r.status = 'succeeded' AND r.started_at >= o.created_at - interval '1 "
    "minute'), "
    "(SELECT count(*) FROM scrape_runs r WHERE r.job_id = o.job_id AND r.status = 'failed' "
    "AND r.started_at >= o.created_at - interval '1 minute')";
// In the order of the ids, so that two holds cannot wait for each other.
constexpr std::string_view hold_jobs = "SELECT job_id FROM job_outbox WHERE queue = $1::text AND job_id = "
                                       "ANY ($2::text[]) ORDER BY id FOR UPDATE";
constexpr std::string_view mark_jobs = "UPDATE job_outbox SET relays = relays + 1, due_at = now() + "
                                       "greatest($3::bigint * interval '1 millisecond', "
                                       "least((now() - created_at) / 2, interval '10 minutes')) WHERE queue "
                                       "= $1::text AND job_id = ANY ($2::text[])";
constexpr std::string_view release_jobs =
    "UPDATE job_outbox SET due_at = now() WHERE queue = $1::text AND job_id = ANY ($2::text[])";
constexpr std::string_view remove_jobs =
    "DELETE FROM job_outbox WHERE queue = $1::text AND job_id = ANY ($2::text[])";
constexpr std::string_view all_due =
    "UPDATE job_outbox SET due_at = now() WHERE queue = $1::text AND due_at > now() AND relays > 0";
constexpr std::string_view measure_waiting =
    "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)::double precision "
    "FROM job_outbox WHERE queue = $1::text AND relays = 0";

postgres::array texts(const std::vector<std::string>& values) {
    postgres::array out{postgres::array::element::text, values.size()};
    for (const auto& v : values)
        out.add(v);
    return out;
}

postgres::params of_queue(const std::string& queue, const std::vector<std::string>& ids) {
    postgres::params out;
    out.add(queue).add(texts(ids));
    return out;
}

} // namespace

task<void> outbox_store::insert(std::vector<outbox_job> jobs, std::chrono::milliseconds lease) {
    using element = postgres::array::element;
    postgres::array ids{element::text}, names{element::text}, data{element::text}, options{element::text};
    for (const auto& j : jobs) {
        ids.add(j.job_id);
        names.add(j.name);
        data.add(j.data);
        options.add(j.options);
    }
    postgres::params values;
    values.add(queue_).add(std::move(ids)).add(std::move(names)).add(std::move(data)).add(std::move(options));
    values.add(lease.count());
    co_await router_.write().query(insert_jobs, values);
}

task<std::vector<outbox_store::claimed>> outbox_store::claim(std::size_t most,
                                                             std::chrono::milliseconds lease) {
    const auto values = postgres::params::of(queue_, most, lease.count());
    const auto found = co_await router_.write().query(claim_jobs, values);
    std::vector<claimed> out;
    for (const auto r : found) {
        claimed c;
        c.job_id = r[0].text();
        c.name = r[1].text();
        c.data = r[2].text();
        c.options = r[3].text();
        c.was_relayed = r[4].boolean();
        c.has_succeeded = r[5].boolean();
        c.failed_attempts = r[6].int64();
        out.push_back(std::move(c));
    }
    co_return out;
}

task<outbox_store::hold> outbox_store::hold_wanted(std::vector<std::string> job_ids) {
    const auto values = of_queue(queue_, job_ids);
    auto connection = co_await router_.write().acquire();
    co_await connection->execute("BEGIN");
    const auto found = co_await connection->query(hold_jobs, values);
    std::vector<std::string> wanted;
    for (const auto r : found)
        wanted.emplace_back(r[0].text());
    co_return hold{std::move(connection), std::move(wanted)};
}

task<void> outbox_store::hold::end() {
    co_await connection_->execute("COMMIT");
}

task<void> outbox_store::mark_relayed(std::vector<std::string> job_ids, std::chrono::milliseconds again) {
    auto values = of_queue(queue_, job_ids);
    values.add(again.count());
    co_await router_.write().query(mark_jobs, values);
}

task<void> outbox_store::release(std::vector<std::string> job_ids) {
    const auto values = of_queue(queue_, job_ids);
    co_await router_.write().query(release_jobs, values);
}

task<void> outbox_store::remove(std::vector<std::string> job_ids) {
    const auto values = of_queue(queue_, job_ids);
    co_await router_.write().query(remove_jobs, values);
}

task<void> outbox_store::make_all_due() {
    const auto values = postgres::params::of(queue_);
    co_await router_.write().query(all_due, values);
}

task<outbox_store::backlog> outbox_store::measure() {
    const auto values = postgres::params::of(queue_);
    const auto found = co_await router_.write().query(measure_waiting, values);
    backlog out;
    out.waiting = found.front()[0].int64();
    out.oldest_seconds = found.front()[1].float64();
    co_return out;
}

} // namespace tiktrend::catalog
