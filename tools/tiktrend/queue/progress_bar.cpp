#include "progress_bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace tiktrend::cli {

std::string bar_text(std::size_t done, std::size_t total) {
    constexpr std::size_t width = 30;
    total = std::max({total, done, std::size_t{1}});
    const auto full = done * width / total;
    return fmt::format("[{}{}] {:3}% {}/{}", std::string(full, '#'), std::string(width - full, ' '),
                       done * 100 / total, done, total);
}

progress_bar::progress_bar(std::size_t total, bool is_wanted)
    : total_{total}, is_drawn_{is_wanted && isatty(STDOUT_FILENO) == 1} {}

progress_bar::~progress_bar() {
    if (is_drawn_) std::fputs("\r\033[K", stderr);
}

void progress_bar::show(std::size_t done) {
    if (is_drawn_) std::fputs(("\r" + bar_text(done, total_)).c_str(), stderr);
}

} // namespace tiktrend::cli
