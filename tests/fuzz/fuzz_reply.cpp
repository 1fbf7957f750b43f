// The reader of Redis' replies: whatever arrives, in whatever pieces, the same replies come out, within the
// bound.
#include "fuzzing.hpp"
#include "reply_reader.hpp"

namespace tiktrend::fuzz {
namespace {

constexpr std::size_t limit = 1U << 16;

std::string show(redis::reply::view v) {
    using kind = redis::reply::kind;
    std::string out = std::to_string(static_cast<int>(v.type())) + ":";
    out += v.type() == kind::integer ? std::to_string(v.integer()) : std::string{v.text()};
    for (std::size_t i = 0; i < v.size(); ++i)
        out += "[" + show(v[i]) + "]";
    return out;
}

/// What comes out of the bytes, fed in pieces of `next_piece()` bytes.
template <class F>
std::string read(std::string_view bytes, F next_piece) {
    redis::reply_reader reader{limit};
    std::string out;
    while (!bytes.empty()) {
        const auto piece = std::min(bytes.size(), next_piece());
        reader.feed(bytes.substr(0, piece));
        bytes.remove_prefix(piece);
        redis::reply reply;
        error_code ec;
        while (reader.next(reply, ec))
            out += show(reply.root()) + "\n";
        if (ec) {
            require(!reader.message().empty());
            return out + "broken";
        }
    }
    return out;
}

} // namespace

std::vector<std::string> seeds() {
    return {std::string("\x01+OK\r\n-ERR no\r\n:-42\r\n$-1\r\n*-1\r\n$0\r\n\r\n*0\r\n"),
            std::string("\x03*4\r\n:1\r\n*2\r\n+x\r\n$-1\r\n$3\r\nabc\r\n*1\r\n*0\r\n:9\r\n"),
            std::string("\x02*2\r\n*0\r\n*1\r\n*3\r\n$4\r\nname\r\n$5\r\npaint\r\n$1\r\n7\r\n"),
            std::string("\x05$99999999\r\nabc"),
            std::string("\x01*1000000000\r\n:1\r\n"),
            std::string("\x07:9223372036854775807\r\n:-9223372036854775808\r\n:9223372036854775808\r\n")};
}

void check(std::string_view input) {
    if (input.empty() || input.size() > limit) return;
    const std::size_t step = 1 + static_cast<unsigned char>(input.front()) % 16;
    const auto bytes = input.substr(1);
    const auto whole = read(bytes, [&] { return bytes.size(); });
    std::size_t turn = 0;
    const auto pieces = read(bytes, [&] { return 1 + (++turn * step) % (step + 3); });
    // A stream that is announced too large may be refused earlier or later, but nothing that came before it
    // differs.
    if (whole.ends_with("broken") || pieces.ends_with("broken"))
        require(whole.ends_with("broken") == pieces.ends_with("broken"));
    else
        require(whole == pieces);
}

} // namespace tiktrend::fuzz
