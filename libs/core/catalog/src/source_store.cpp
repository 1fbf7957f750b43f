#include <tiktrend/catalog/source_store.hpp>

namespace tiktrend::catalog {
namespace {

constexpr std::string_view put_version =
    "INSERT INTO source_definitions (id, version, definition, enabled_at) "
    "VALUES ($1::text, $2::int, $3::text, clock_timestamp()) "
    "ON CONFLICT (id, version) DO UPDATE SET is_enabled = true, enabled_at = excluded.enabled_at "
    "WHERE source_definitions.definition = excluded.definition RETURNING version";

// Of each source the version enabled last.
constexpr std::string_view versions_in_use =
    "SELECT id, version::bigint, definition, (extract(epoch FROM enabled_at) * 1000)::bigint FROM "
    "(SELECT DISTINCT ON (id) * FROM source_definitions WHERE is_enabled ORDER BY id, enabled_at DESC, "
    "version DESC) "
    "AS latest ORDER BY id";

constexpr std::string_view leave_source =
    "UPDATE source_definitions SET is_enabled = false WHERE id = $1::text AND is_enabled RETURNING version";

} // namespace

task<bool> source_store::enable(const stored_definition& definition) {
    const auto values =
        postgres::params::of(definition.id, std::int64_t{definition.version}, definition.text);
    const auto written = co_await router_.write().query(put_version, values);
    co_return !written.empty();
}

task<std::vector<stored_definition>> source_store::enabled() {
    const auto found = co_await router_.query(versions_in_use);
    std::vector<stored_definition> out;
    for (const auto r : found.answer) {
        stored_definition d;
        d.id = r[0].text();
        d.version = static_cast<std::int32_t>(r[1].int64());
        d.text = r[2].text();
        d.enabled_at_ms = r[3].int64();
        out.push_back(std::move(d));
    }
    co_return out;
}

task<bool> source_store::disable(const std::string& id) {
    const auto values = postgres::params::of(id);
    const auto changed = co_await router_.write().query(leave_source, values);
    co_return !changed.empty();
}

} // namespace tiktrend::catalog
