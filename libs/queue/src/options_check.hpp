#pragma once
#include <tiktrend/queue/error.hpp>
#include <tiktrend/queue/job_options.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::queue {

class json_checker;

/// Why a job is refused: the code, and what input_error tells.
struct options_problem {
    error_code code;
    std::string field, value, rule;
    /// `place` comes before the field, e.g. "children[0]."
    input_error error(const std::string& place = {}) const { return {code, place + field, value, rule}; }
};

/// Empty if all is well: invalid_job_id, invalid_priority, or invalid_options for the rest.
std::optional<options_problem> find_problem(const job_options& options);

/// The code of find_problem() alone.
error_code check_options(const job_options& options);

/// What is wrong with a job's data: data_too_large or invalid_json.
std::optional<options_problem> find_data_problem(std::string_view data, const job_options& options,
                                                 json_checker& json);

/// A refused text as errors show it: in quotes, and not longer than a line.
std::string quoted(std::string_view text);

/// "<prefix>:<queue>"
bool is_qualified_queue(std::string_view name) noexcept;

} // namespace tiktrend::queue
