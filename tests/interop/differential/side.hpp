#pragma once
#include "snapshot.hpp"

#include <tiktrend/testing/line_peer.hpp>

namespace tiktrend::interop {

/// A process that carries out steps with one library on one prefix of the program's Redis.
class side {
public:
    enum class library { node6, node5, ours };
    side(library which, std::string prefix);

    const std::string& prefix() const noexcept { return prefix_; }

    /// Sends a step; `P:` in it stands for this side's prefix. receive() has its answer.
    void send(const json::object& step);
    /// The answer as it is compared: a value without prefixes, or "refused" with the script's code (0: before
    /// Redis). `text` gets the whole answer for messages.
    std::string receive(std::string& text);

private:
    std::string prefix_;
    testing::line_peer peer_;
};

std::string_view to_string(side::library l) noexcept;

} // namespace tiktrend::interop
