#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::fuzz {

/// What a fuzzer starts from; written into its corpus folder at each start (seeds.cpp).
std::vector<std::string> seeds();

/// One input. Ends the process where a promise is broken.
void check(std::string_view input);

/// As assert(), in every build.
inline void require(bool holds) {
    if (!holds) std::abort();
}

/// Small decisions out of an input's bytes, until they run out.
class choices {
public:
    explicit choices(std::string_view bytes) : bytes_{bytes} {}
    std::uint64_t below(std::uint64_t n) {
        std::uint64_t value = 0;
        for (std::uint64_t reach = 1; reach < n && !bytes_.empty(); reach *= 256) {
            value = value * 256 + static_cast<unsigned char>(bytes_.front());
            bytes_.remove_prefix(1);
        }
        return n == 0 ? 0 : value % n;
    }
    bool flip() { return below(2) == 1; }
    std::string_view rest() const noexcept { return bytes_; }

private:
    std::string_view bytes_;
};

} // namespace tiktrend::fuzz
