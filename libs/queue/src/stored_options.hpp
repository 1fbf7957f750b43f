#pragma once
#include <tiktrend/queue/job_options.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tiktrend::queue {

/// What this side needs of a stored job's `opts`, whoever wrote them. Other members stay in the text.
struct stored_options {
    std::int32_t attempts = 0;
    bool lifo = false;
    std::optional<backoff_options> backoff;
    std::optional<keep_policy> remove_on_complete, remove_on_fail;
    std::optional<std::int32_t> keep_logs, stack_trace_limit;
    std::string telemetry_metadata; ///< tm
};

/// Reads options leniently: a member of an unexpected form counts as unset, text that is not a JSON object as
/// empty. Remembers the last text, since the jobs of a queue mostly share their options.
class options_reader {
public:
    options_reader();
    ~options_reader();
    const stored_options& read(const std::string& json);

private:
    struct parser;
    std::unique_ptr<parser> parser_;
    std::string text_;
    stored_options options_;
};

/// True if `text` is one JSON value (RFC 8259), with nothing but blanks around it. Nesting deeper than 1,024
/// is refused.
class json_checker {
public:
    json_checker();
    ~json_checker();
    bool is_json(std::string_view text);
    /// The elements of an array of texts; empty if `text` is anything else.
    std::vector<std::string> texts(std::string_view text);

private:
    struct parser;
    std::unique_ptr<parser> parser_;
};

} // namespace tiktrend::queue
