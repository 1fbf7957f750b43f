#pragma once
#include <stdexcept>
#include <string>
#include <utility>

namespace tiktrend::queue {

/// Who runs a job: the text in its lock key, compared byte by byte by every script that moves an active job
/// (layout of BullMQ, "Lock"). Whoever fetches by hand gets one and shows it to every move.
class lock_token {
public:
    /// Unique per holder. Throws std::invalid_argument for an empty text.
    explicit lock_token(std::string text) : text_{std::move(text)} {
        if (text_.empty()) throw std::invalid_argument("a lock's token is not empty");
    }
    /// "0": the holder has no lock, and none is checked. For repairs while no worker runs.
    static lock_token none() { return lock_token{"0"}; }

    const std::string& text() const noexcept { return text_; }
    friend bool operator==(const lock_token&, const lock_token&) = default;

private:
    std::string text_;
};

} // namespace tiktrend::queue
