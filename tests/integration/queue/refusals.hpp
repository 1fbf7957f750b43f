#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/queue/error.hpp>

#include <string>

namespace tiktrend::testing {

/// `work` without its value.
template <class T>
task<void> drop(task<T> work) {
    co_await std::move(work);
}

/// True if `work` ends with this code.
template <class Code>
task<bool> is_refused(task<void> work, Code code) {
    try {
        co_await std::move(work);
    } catch (const system_error& e) {
        co_return e.code() == code;
    }
    co_return false;
}

/// "<field> = <value>: expected <rule>" of the argument that is refused; "accepted" if none is.
inline task<std::string> refusal(task<void> work) {
    try {
        co_await std::move(work);
    } catch (const queue::input_error& e) {
        co_return e.field() + " = " + e.value() + ": expected " + e.rule();
    }
    co_return std::string{"accepted"};
}

} // namespace tiktrend::testing
