#pragma once
// Questions about all bytes of a text, sixteen at a time: every text that is stored is looked through.
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tiktrend::sources {

/// Sixteen bytes (a vector of Clang and GCC). Comparisons give -1 in each place where they hold.
using byte_block = unsigned char __attribute__((vector_size(16)));

/// True if `is_suspect(block)` is other than zero in the place of some byte of `text`. Texts that do not fill
/// a block are asked about with letters behind them, so no letter may be suspect.
template <class IsSuspect>
bool has_suspect(std::string_view text, IsSuspect is_suspect) noexcept {
    byte_block found{};
    const auto look = [&](const char* at) {
        byte_block block;
        std::memcpy(&block, at, sizeof block);
        found |= reinterpret_cast<byte_block>(is_suspect(block));
    };
    if (text.size() >= sizeof(byte_block)) {
        const char* last = text.data() + text.size() - sizeof(byte_block);
        for (const char* at = text.data(); at < last; at += sizeof(byte_block))
            look(at);
        look(last); // the end of it once more, rather than byte by byte
    } else {
        std::array<char, sizeof(byte_block)> padded;
        padded.fill('a');
        text.copy(padded.data(), padded.size());
        look(padded.data());
    }
    std::array<std::uint64_t, 2> halves;
    std::memcpy(halves.data(), &found, sizeof found);
    return (halves[0] | halves[1]) != 0;
}

} // namespace tiktrend::sources
