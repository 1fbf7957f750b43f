#pragma once
#include <tiktrend/testing/process.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace tiktrend::testing {

/// A child process that is driven by lines over a socket of its own: it gets the descriptor's number as an
/// argument, reads a line for each thing it shall do and writes lines back. It ends by itself when its end of
/// the socket is closed.
class line_peer {
public:
    /// `command` makes the command line from the descriptor that the child inherits. `name` is for messages.
    line_peer(std::string name,
              const std::function<std::vector<std::string>(const std::string& fd)>& command);
    ~line_peer(); ///< closes the socket, gives the child 15 s to end, then kills it
    line_peer(const line_peer&) = delete;
    line_peer& operator=(const line_peer&) = delete;

    /// `line` without its newline. Throws std::runtime_error if the child is gone.
    void send(std::string line);
    /// The next line, without its newline. Throws std::runtime_error if the child ends or says nothing for
    /// `limit`.
    std::string receive(std::chrono::milliseconds limit);

    process& child() noexcept { return process_; }
    const std::string& name() const noexcept { return name_; }

private:
    std::string name_;
    process process_;
    int fd_ = -1;
    std::string buffer_;
};

} // namespace tiktrend::testing
