#include <tiktrend/catalog/source_health.hpp>

namespace tiktrend::catalog {
namespace {

constexpr std::string_view note = R"(
INSERT INTO source_health AS h (source, field, measure, version, runs, usual, latest, drifting_since, updated_at)
SELECT $1::text, u.field, u.measure, $2::integer, 1, u.share, u.share, NULL, now()
FROM unnest($3::text[], $4::text[], $5::float8[]) AS u(field, measure, share) ORDER BY u.field, u.measure
ON CONFLICT ON CONSTRAINT source_health_pkey DO UPDATE SET
    version = EXCLUDED.version, latest = EXCLUDED.latest, updated_at = EXCLUDED.updated_at,
    runs = CASE WHEN h.version = EXCLUDED.version THEN h.runs + 1 ELSE 1 END,
    usual = CASE WHEN h.version <> EXCLUDED.version THEN EXCLUDED.latest
                 WHEN h.runs >= $6::bigint AND h.usual - EXCLUDED.latest > $7::float8 THEN h.usual
                 ELSE h.usual * 0.8 + EXCLUDED.latest * 0.2 END,
    drifting_since = CASE WHEN h.version = EXCLUDED.version AND h.runs >= $6::bigint
                               AND h.usual - EXCLUDED.latest > $7::float8
                          THEN coalesce(h.drifting_since, EXCLUDED.updated_at) END
RETURNING field, measure, latest, usual, coalesce((extract(epoch FROM drifting_since) * 1000)::bigint, 0))";

} // namespace

task<std::vector<field_drift>> source_health::note_run(std::string source, int version,
                                                       std::vector<field_health> fields) {
    using postgres::array;
    array names{array::element::text}, measures{array::element::text}, shares{array::element::float8};
    for (const auto& f : fields) {
        names.add(f.field);
        measures.add(f.measure);
        shares.add(f.share);
    }
    postgres::params values;
    values.add(source).add(version).add(std::move(names)).add(std::move(measures)).add(std::move(shares));
    values.add(least_runs).add(tolerance);
    const auto answer = co_await router_.write().query(note, values);
    std::vector<field_drift> out;
    for (const auto r : answer)
        out.push_back({std::string{r[0].text()}, std::string{r[1].text()}, r[2].float64(), r[3].float64(),
                       r[4].int64()});
    co_return out;
}

} // namespace tiktrend::catalog
