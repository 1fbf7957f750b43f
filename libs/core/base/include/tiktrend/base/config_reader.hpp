#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend {

/// Reads an app's configuration from environment variables, collecting every mistake instead of stopping at
/// the first. An empty variable counts as unset. Usage: read all values, then if !errors().empty() print them
/// and exit with 2.
class config_reader {
public:
    using lookup = std::function<std::optional<std::string>(std::string_view name)>;

    /// One variable as it was read, for the start-up line and for docs/configuration.md.
    struct entry {
        std::string name;
        std::string value; ///< text in force; "***" for secrets, passwords hidden
        bool is_default = true;
    };

    /// From the process environment.
    config_reader();
    explicit config_reader(lookup source) : source_{std::move(source)} {}

    std::string text(std::string_view name, std::string_view fallback);
    /// Not printed. For URLs that carry a password use url() or urls().
    std::string secret(std::string_view name, std::string_view fallback = {});
    std::string required(std::string_view name, std::string_view expected);
    std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t min, std::int64_t max);
    double number(std::string_view name, double fallback, double min, double max);
    bool flag(std::string_view name, bool fallback); ///< true/false/1/0/yes/no/on/off
    /// "250ms", "30s", "5m", "2h"; a bare number is refused, since its unit is unknown.
    std::chrono::milliseconds duration(std::string_view name, std::chrono::milliseconds fallback,
                                       std::chrono::milliseconds min, std::chrono::milliseconds max);
    /// "64KiB", "8MiB", "1GiB" or a plain number of bytes.
    std::int64_t bytes(std::string_view name, std::int64_t fallback, std::int64_t min, std::int64_t max);
    std::string one_of(std::string_view name, std::string_view fallback,
                       std::initializer_list<std::string_view> choices);
    std::vector<std::string> list(std::string_view name,
                                  std::string_view fallback); ///< comma separated, blanks trimmed
    /// A URL whose scheme is one of `schemes`; the password is hidden when printed.
    std::string url(std::string_view name, std::string_view fallback,
                    std::initializer_list<std::string_view> schemes);

    /// Comma separated URLs, each with one of `schemes`; none when unset. As a password's comma would be
    /// taken for the next item, it has to be written %2C.
    std::vector<std::string> urls(std::string_view name, std::initializer_list<std::string_view> schemes);

    /// For rules between variables: records `NAME="value": expected …`, passwords in `value` hidden.
    void fail(std::string_view name, std::string_view value, std::string_view expected);

    /// One line a mistake: `WORKER_CONCURRENCY="ten": expected an integer from 1 to 1000`.
    const std::vector<std::string>& errors() const noexcept { return errors_; }
    const std::vector<entry>& entries() const noexcept { return entries_; }

private:
    std::optional<std::string> find(std::string_view name) const;
    void note(std::string_view name, std::string shown, bool is_default);

    lookup source_;
    std::vector<std::string> errors_;
    std::vector<entry> entries_;
};

/// For logs: `redis://user:secret@host` → `redis://user:***@host`, and `password=secret` of a query or a
/// conninfo string → `password=***`. Text without a password is returned as it is.
std::string hide_password(std::string_view text);

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept;
std::optional<std::int64_t> parse_bytes(std::string_view text) noexcept;

} // namespace tiktrend
