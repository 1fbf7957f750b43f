#pragma once
#include <tiktrend/base/error.hpp>

#include <boost/assert/source_location.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace tiktrend::sources {

/// Why a value that was found cannot be taken. The text lives for ever.
struct reject {
    constexpr reject() noexcept = default;
    constexpr explicit reject(const char* text) noexcept : reason{text} {}
    std::string_view reason;
};

template <class T>
using converted = result<T, reject>;

/// What result<T, reject>::value() does on an error: for callers that know there is none.
[[noreturn]] inline void throw_exception_from_error(const reject& why, const boost::source_location&) {
    throw std::runtime_error{std::string{why.reason}};
}

} // namespace tiktrend::sources
