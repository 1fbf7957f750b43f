#include "input.hpp"

#include "job_id.hpp"

namespace tiktrend::queue {
void check_number(std::string_view field, std::int64_t value, std::int64_t low, std::int64_t high,
                  errc code) {
    if (value >= low && value <= high) return;
    throw input_error(code, std::string{field}, std::to_string(value),
                      "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
}

void check_delay(std::string_view field, std::chrono::milliseconds value) {
    check_number(field, value.count(), 0, max_delay.count());
}

void check_priority(std::int32_t priority) {
    check_number("priority", priority, 0, max_priority, errc::invalid_priority);
}

void check_json(json_checker& json, std::string_view field, std::string_view text) {
    if (!json.is_json(text))
        throw input_error(errc::invalid_json, std::string{field}, quoted(text), "one JSON text in UTF-8");
}

void check_job_id(std::string_view id) {
    if (!is_possible_job_id(id))
        throw input_error(errc::invalid_job_id, "job id", quoted(id),
                          "a text that is not the name of one of the queue's own keys");
}

void check_text(std::string_view field, std::string_view text) {
    if (text.empty()) throw input_error(errc::invalid_argument, std::string{field}, "\"\"", "a text");
}

void check_finished(std::string_view field, job_state state) {
    if (state != job_state::completed && state != job_state::failed)
        throw input_error(errc::invalid_argument, std::string{field}, std::string{to_string(state)},
                          "completed or failed");
}

} // namespace tiktrend::queue
