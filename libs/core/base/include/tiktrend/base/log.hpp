#pragma once
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace tiktrend {

enum class log_level { debug, info, warn, error, off };

/// "debug", "info", "warn", "error", "off"; anything else gives false and leaves `out` alone.
bool parse_log_level(std::string_view text, log_level& out) noexcept;

/// One member of a log line. Views must live until the call returns.
struct log_field {
    using value_type = std::variant<std::string_view, std::int64_t, double, bool>;
    std::string_view key;
    value_type value;

    log_field(std::string_view k, std::string_view v) : key{k}, value{v} {}
    log_field(std::string_view k, const char* v) : key{k}, value{std::string_view{v}} {}
    log_field(std::string_view k, const std::string& v) : key{k}, value{std::string_view{v}} {}
    log_field(std::string_view k, bool v) : key{k}, value{v} {}
    log_field(std::string_view k, double v) : key{k}, value{v} {}
    template <class I>
        requires(std::is_integral_v<I> && !std::is_same_v<I, bool>)
    log_field(std::string_view k, I v) : key{k}, value{static_cast<std::int64_t>(v)} {}
};

/// Writes one JSON object a line: {"ts","level","event", fields…}. Copies share one sink. Thread-safe.
/// Usage: log.info("job_completed", {{"queue", name}, {"job_id", id}, {"duration_ms", 12}});
class logger {
public:
    using sink = std::function<void(std::string_view line)>;

    /// A logger that drops everything.
    logger() = default;
    /// To standard error.
    static logger to_stderr(log_level level);
    /// To `write`, which gets each line without the newline and may be called from any thread (tests, hooks).
    static logger to_sink(log_level level, sink write);

    /// The same sink with `key: value` added to every line.
    logger with(std::string_view key, std::string_view value) const;

    bool enabled(log_level level) const noexcept;
    void write(log_level level, std::string_view event, std::initializer_list<log_field> fields) const;

    void debug(std::string_view event, std::initializer_list<log_field> fields = {}) const {
        write(log_level::debug, event, fields);
    }
    void info(std::string_view event, std::initializer_list<log_field> fields = {}) const {
        write(log_level::info, event, fields);
    }
    void warn(std::string_view event, std::initializer_list<log_field> fields = {}) const {
        write(log_level::warn, event, fields);
    }
    void error(std::string_view event, std::initializer_list<log_field> fields = {}) const {
        write(log_level::error, event, fields);
    }

private:
    struct state;
    std::shared_ptr<const state> state_;
    std::string bound_; ///< ready-made members, each starting with a comma
};

} // namespace tiktrend
