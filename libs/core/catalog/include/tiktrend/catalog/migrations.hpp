#pragma once
#include <tiktrend/base/embedded.hpp>

#include <span>

namespace tiktrend::catalog::migrations {

/// The schema's history, for postgres::migrator. Sources: libs/core/catalog/migrations.
std::span<const embedded_file> files() noexcept;

} // namespace tiktrend::catalog::migrations
