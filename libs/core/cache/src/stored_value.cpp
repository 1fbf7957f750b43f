// The stored form of an answer, version 2. Persisted: a change needs a new version word, so that old values
// become misses.
//
//   tt2 ERA GENERATION LSN FILLED_AT_MS FRESH_UNTIL_MS FOUND ETAG_BYTES BODY_BYTES GZIP_BYTES\n  etag  body
//   gzip
//
// Numbers are decimal; ERA and GENERATION are tokens without blanks, "-" if there is none.
#include <tiktrend/cache/entry.hpp>

#include <fmt/format.h>

#include <charconv>

namespace tiktrend::cache {
namespace {

constexpr std::string_view version = "tt2";

std::string_view or_dash(std::string_view token) {
    return token.empty() ? "-" : token;
}

/// Takes the next word of a header.
class words {
public:
    explicit words(std::string_view text) : rest_{text} {}
    std::string_view next() {
        const auto end = std::min(rest_.find(' '), rest_.size());
        const auto word = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        return word;
    }
    std::string token() {
        const auto w = next();
        return w == "-" ? std::string{} : std::string{w};
    }
    template <class I>
    bool number(I& out) {
        const auto w = next();
        const auto [end, error] = std::from_chars(w.data(), w.data() + w.size(), out);
        return error == std::errc{} && end == w.data() + w.size();
    }

private:
    std::string_view rest_;
};

} // namespace

std::string encode(std::string_view era, std::string_view generation, const entry& e) {
    std::string out;
    out.reserve(160 + e.etag.size() + e.body.size() + e.gzip.size());
    fmt::format_to(std::back_inserter(out), "{} {} {} {} {} {} {} {} {} {}\n", version, or_dash(era),
                   or_dash(generation), e.lsn, e.filled_at_ms, e.fresh_until_ms, e.found ? 1 : 0,
                   e.etag.size(), e.body.size(), e.gzip.size());
    return out.append(e.etag).append(e.body).append(e.gzip);
}

std::optional<stored_value> decode(std::string_view bytes) {
    const auto line_end = bytes.substr(0, 256).find('\n');
    if (line_end == std::string_view::npos) return std::nullopt;
    words header{bytes.substr(0, line_end)};
    bytes.remove_prefix(line_end + 1);
    if (header.next() != version) return std::nullopt;

    stored_value v;
    auto e = std::make_shared<entry>();
    int found = 0;
    std::size_t etag_bytes = 0;
    std::size_t body_bytes = 0;
    std::size_t gzip_bytes = 0;
    v.era = header.token();
    v.generation = header.token();
    if (!header.number(e->lsn) || !header.number(e->filled_at_ms) || !header.number(e->fresh_until_ms) ||
        !header.number(found) || !header.number(etag_bytes) || !header.number(body_bytes) ||
        !header.number(gzip_bytes))
        return std::nullopt;
    // Each is checked against what is left, so that no sum can overflow.
    const auto take = [&bytes](std::size_t n, std::string& out) {
        if (n > bytes.size()) return false;
        out = bytes.substr(0, n);
        bytes.remove_prefix(n);
        return true;
    };
    if (!take(etag_bytes, e->etag) || !take(body_bytes, e->body) || !take(gzip_bytes, e->gzip) ||
        !bytes.empty())
        return std::nullopt;
    e->found = found != 0;
    v.answer = std::move(e);
    return v;
}

} // namespace tiktrend::cache
