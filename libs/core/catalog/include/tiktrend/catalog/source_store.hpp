#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/postgres/router.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tiktrend::catalog {

/// A source definition in the database: its text as the author wrote it. What it means is for the sources
/// library to say.
struct stored_definition {
    std::string id;
    std::int32_t version = 1;
    std::string text;
    std::int64_t enabled_at_ms = 0;
};

/// Definitions that operators enabled. Any number of coroutines may share one.
class source_store {
public:
    explicit source_store(postgres::router& router) : router_{router} {}

    /// Stores a version and puts it to use in place of the one before, in one statement. A version that is
    /// there already with the same text comes (back) into use. False, and nothing changed: it is there with
    /// another text, for versions are written once.
    task<bool> enable(const stored_definition& definition);

    /// The version in use of each source, by id. A router with replicas may not know yet what was just
    /// enabled.
    task<std::vector<stored_definition>> enabled();

    /// Takes a source out of use; false if it was not. Its versions stay.
    task<bool> disable(const std::string& id);

private:
    postgres::router& router_;
};

} // namespace tiktrend::catalog
