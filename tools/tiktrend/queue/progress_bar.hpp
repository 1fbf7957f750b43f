#pragma once
#include <cstddef>
#include <string>

namespace tiktrend::cli {

/// "[#####     ]  50% 500/1000": one line without its end. A total of 0, or less than is done, counts as what
/// is done.
std::string bar_text(std::size_t done, std::size_t total);

/// Draws the bar again and again on one line of standard error while standard output is a terminal; the line
/// is wiped at the end. Elsewhere nothing is drawn.
class progress_bar {
public:
    progress_bar(std::size_t total, bool is_wanted);
    ~progress_bar();
    progress_bar(const progress_bar&) = delete;
    progress_bar& operator=(const progress_bar&) = delete;
    void show(std::size_t done);

private:
    std::size_t total_;
    bool is_drawn_;
};

} // namespace tiktrend::cli
