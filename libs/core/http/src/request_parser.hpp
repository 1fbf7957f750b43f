#pragma once
#include "head_scanner.hpp"

#include <tiktrend/http/message.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace tiktrend::http {

/// Turns one head and the body's bytes into a request, through Beast's parser. This file's source is the only
/// one that includes Beast. Beast accepts some framings that other readers take differently; those are
/// refused here (RFC 9112 sections 6.1 to 6.3, 11.2).
class request_parser {
public:
    request_parser();
    ~request_parser();

    /// `head`: a whole head that head_scanner passed, without the empty lines before it. Fills `into`, which
    /// must live and stay until the parser is done with the body.
    refusal parse_head(std::string_view head, request& into, std::size_t max_body_bytes);

    /// True once the message is whole.
    bool is_done() const noexcept;
    bool expects_continue() const noexcept { return expects_continue_; }

    /// Takes body bytes; `consumed` says how many. Zero consumed without a refusal: it needs more bytes in
    /// one piece.
    refusal parse_body(std::string_view bytes, std::size_t& consumed);

private:
    class beast_parser;
    refusal check_head(request& r) const;

    alignas(std::max_align_t)
        std::byte storage_[192]; ///< room for beast_parser, which is made anew for each request
    beast_parser* parser_ = nullptr;
    bool expects_continue_ = false;
};

} // namespace tiktrend::http
