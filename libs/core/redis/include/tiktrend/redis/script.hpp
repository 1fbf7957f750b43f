#pragma once
#include <string>
#include <string_view>

namespace tiktrend::redis {

/// A Lua script and its SHA-1, which is what travels (EVALSHA). Keep it for the life of the program.
class script {
public:
    script(std::string_view name, std::string text);
    const std::string& name() const noexcept { return name_; } ///< for messages and metrics
    const std::string& text() const noexcept { return text_; }
    const std::string& sha1() const noexcept { return sha1_; } ///< 40 lower-case hex digits

private:
    std::string name_;
    std::string text_;
    std::string sha1_;
};

} // namespace tiktrend::redis
