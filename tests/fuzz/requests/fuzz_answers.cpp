// Answers of others to the gateway: of the endpoint that writes copy (whole, streamed, errors) and of the
// primary region. Read the same however they are cut, or refused; never more than their bounds.
#include "copy/completion.hpp"
#include "fuzzing.hpp"
#include "response_parser.hpp"

#include <tiktrend/base/json_text.hpp>

namespace tiktrend::fuzz {
namespace {

struct streamed {
    bool is_good = true, is_done = false;
    std::string told;
    gateway::completion result;
};

streamed read_stream(std::string_view bytes, std::size_t step) {
    streamed out;
    gateway::completion_reader reader{[&out](std::string_view piece) { out.told += piece; }};
    for (; out.is_good && !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size())))
        out.is_good = reader.feed(bytes.substr(0, step));
    out.is_done = reader.is_done();
    out.result = reader.result();
    return out;
}

void check_stream(choices& c) {
    const auto step = static_cast<std::size_t>(1 + c.below(64));
    const auto whole = read_stream(c.rest(), std::string_view::npos);
    const auto pieces = read_stream(c.rest(), step);
    require(whole.is_good == pieces.is_good && whole.is_done == pieces.is_done);
    require(whole.told == pieces.told && whole.told == whole.result.text);
    require(whole.result.tokens_in >= 0 && whole.result.tokens_out >= 0);
    require(repair_utf8(whole.told) == whole.told);
}

void check_whole(std::string_view json) {
    if (const auto read = gateway::parse_completion(json)) {
        require(!read->text.empty() && repair_utf8(read->text) == read->text);
        require(read->tokens_in >= 0 && read->tokens_out >= 0);
    }
    const auto error = gateway::error_text(json);
    require(repair_utf8(error) == error && error.size() <= 3 * 300);
}

struct answer {
    bool failed = false, is_done = false;
    int status = 0;
    std::string body;
};

/// As the forwarder reads: what the parser did not take comes again with what follows.
answer read_answer(std::string_view bytes, std::size_t step, bool no_body) {
    answer out;
    http::response_parser parser{64 << 10,
                                 no_body}; // Beast lets a head that comes in one piece exceed its limit
    std::string held;
    error_code ec;
    for (; !bytes.empty() && !parser.is_done(); bytes.remove_prefix(std::min(step, bytes.size()))) {
        held += bytes.substr(0, step);
        while (!held.empty() && !parser.is_done()) {
            const auto used = parser.put(held, ec);
            require(used <= held.size());
            out.body += parser.take_body();
            held.erase(0, used);
            out.failed = static_cast<bool>(ec);
            if (ec || used == 0) break;
        }
        if (ec) break;
    }
    if (!out.failed && !parser.is_done()) {
        parser.put_end(ec);
        out.failed = static_cast<bool>(ec);
    }
    out.is_done = parser.is_done();
    if (parser.has_head()) {
        out.status = parser.status();
        parser.keep_alive();
    }
    return out;
}

void check_answer(choices& c) {
    const auto step = static_cast<std::size_t>(1 + c.below(64));
    const bool no_body = c.flip();
    const auto whole = read_answer(c.rest(), std::string_view::npos, no_body);
    const auto pieces = read_answer(c.rest(), step, no_body);
    // What is broken may be noticed at another place when it comes in pieces; what is whole is the same.
    if (whole.is_done && !whole.failed)
        require(pieces.is_done && pieces.status == whole.status && pieces.body == whole.body);
    require(whole.body.size() <= c.rest().size() && pieces.body.size() <= c.rest().size());
}

} // namespace

std::vector<std::string> seeds() {
    using namespace std::string_literals;
    return {
        "\0\7"s +
            "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"Hello\"}}]}\r\n\r\ndata: "
            "{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4},\"choices\":[]}\n\ndata: [DONE]\n\n",
        "\0\3"s + ": comment\nevent: x\ndata:{\"error\":{\"message\":\"no\"}}\n\n",
        "\1{\"model\":\"m\",\"choices\":[{\"message\":{\"content\":\"Hello\"}}],\"usage\":{\"prompt_tokens\":"
        "3,\"completion_tokens\":4}}",
        "\1{\"error\":{\"message\":\"the key is wrong\"}}",
        "\2\5\0"s + "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nETag: "
                    "W/\"x\"\r\n\r\n{}",
        "\2\1\0"s + "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: "
                    "chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nTrailer: a\r\n\r\n",
        "\2\2\0"s + "HTTP/1.0 200 OK\r\n\r\nuntil the end",
        "\2\2\1"s + "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
        "\2\2\0"s + "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"};
}

void check(std::string_view input) {
    choices c{input};
    switch (c.below(3)) {
    case 0:
        return check_stream(c);
    case 1:
        return check_whole(c.rest());
    default:
        return check_answer(c);
    }
}

} // namespace tiktrend::fuzz
