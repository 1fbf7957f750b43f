#pragma once
#include <tiktrend/queue/job.hpp>

#include <boost/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::cli {

/// A job as JSON, under BullMQ's names; `data`, `opts`, `progress` and `returnvalue` as values, or as text
/// where they are not JSON.
boost::json::object to_json(const queue::job_record& job, std::optional<queue::job_state> state = {});

/// JSON text as a value; the text itself if it is none.
boost::json::value json_or_text(std::string_view text);

/// Prints one line.
void print(const boost::json::value& value);

/// `text` for a terminal: control characters, with which a job's data could play tricks, become escapes; at
/// most `width` characters.
std::string printable(std::string_view text, std::size_t width = 1000);

/// Milliseconds since the epoch as UTC time; "-" for 0.
std::string time_of(std::int64_t unix_ms);

} // namespace tiktrend::cli
