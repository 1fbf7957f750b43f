#pragma once
#include <cstdint>
#include <string_view>

namespace tiktrend::sources {

/// FNV-1a, 64 bits. Persisted in saved cursors: do not change.
class hasher {
public:
    void add(std::string_view bytes) noexcept {
        for (const char c : bytes)
            step(static_cast<unsigned char>(c));
        step(0xFF); // never part of UTF-8: keeps neighbours apart
    }
    std::uint64_t value() const noexcept { return value_; }

private:
    void step(unsigned char byte) noexcept { value_ = (value_ ^ byte) * 0x100000001B3U; }
    std::uint64_t value_ = 0xCBF29CE484222325U;
};

inline std::uint64_t hash_of(std::string_view text) noexcept {
    hasher h;
    h.add(text);
    return h.value();
}

} // namespace tiktrend::sources
