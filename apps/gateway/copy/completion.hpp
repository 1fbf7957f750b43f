#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::gateway {

/// What an endpoint wrote, and what it cost.
struct completion {
    std::string text;
    std::string model; ///< as the endpoint names it; empty: it does not say
    std::int64_t tokens_in = 0;
    std::int64_t tokens_out = 0;
};

/// A whole answer of POST /chat/completions; nothing if it has no text.
std::optional<completion> parse_completion(std::string_view json);

/// The reason in an error answer, `{"error":{"message":…}}`, for the log: at most 300 bytes. Otherwise the
/// answer's beginning.
std::string error_text(std::string_view body);

/// A streamed answer, fed as its bytes come (server-sent events with one JSON object each, then `[DONE]`).
class completion_reader {
public:
    using on_text = std::function<void(std::string_view piece)>;
    explicit completion_reader(on_text told) : told_{std::move(told)} {}

    /// False for what is no such stream: too long a line, an event that is not JSON, an error event.
    bool feed(std::string_view bytes);
    bool is_done() const noexcept { return done_; }
    const completion& result() const noexcept { return result_; }

private:
    bool take_line(std::string_view line);

    on_text told_;
    std::string line_;
    completion result_;
    bool done_ = false;
};

} // namespace tiktrend::gateway
