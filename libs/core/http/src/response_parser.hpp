#pragma once
#include <tiktrend/base/error.hpp>
#include <tiktrend/http/headers.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace tiktrend::http {

/// Turns the bytes of one answer into status, headers and body, through Beast's parser. One a response.
class response_parser {
public:
    /// `no_body`: it answers a HEAD request.
    response_parser(std::size_t max_header_bytes, bool no_body);
    ~response_parser();

    /// Takes bytes; how many. Zero without an error: it needs more in one piece. `ec`: not HTTP, or too large
    /// a head.
    std::size_t put(std::string_view bytes, error_code& ec);
    /// The server closed. An error if the answer was not whole.
    void put_end(error_code& ec);

    bool has_head() const noexcept;
    bool is_done() const noexcept;
    bool keep_alive() const noexcept;
    int status() const noexcept;
    http::headers& headers() noexcept;
    /// Body bytes decoded since the last call.
    std::string take_body();

private:
    class beast_parser;
    std::unique_ptr<beast_parser> parser_;
};

} // namespace tiktrend::http
