#include <tiktrend/base/text.hpp>
#include <tiktrend/http/compression.hpp>
#include <tiktrend/http/problem.hpp>

#include <zlib.h>

#include <new>

namespace tiktrend::http {
namespace {

/// qvalue of RFC 9110 section 12.4.2 in thousandths; -1 if malformed.
int parse_weight(std::string_view q) noexcept {
    if (q.empty() || q.size() > 5 || (q[0] != '0' && q[0] != '1') || (q.size() > 1 && q[1] != '.')) return -1;
    int weight = (q[0] - '0') * 1000, unit = 100;
    for (const char c : q.size() > 2 ? q.substr(2) : std::string_view{}) {
        if (c < '0' || c > '9') return -1;
        weight += (c - '0') * unit;
        unit /= 10;
    }
    return weight <= 1000 ? weight : -1;
}

/// The weight of one element, 1000 without one; -1 if malformed.
int weight_of(std::string_view parameters) noexcept {
    while (!parameters.empty()) {
        const auto end = parameters.find(';');
        const auto parameter = trim(parameters.substr(0, end));
        if (parameter.size() > 2 && (parameter[0] == 'q' || parameter[0] == 'Q') && parameter[1] == '=')
            return parse_weight(parameter.substr(2));
        if (end == std::string_view::npos) break;
        parameters.remove_prefix(end + 1);
    }
    return 1000;
}

bool is_compressible(std::string_view type) noexcept {
    const auto name = trim(type.substr(0, type.find(';')));
    return name.substr(0, 5) == "text/" || name == "application/json" || name == "application/problem+json" ||
           name == "application/javascript" || name == "image/svg+xml";
}

} // namespace

std::optional<content_coding> choose_coding(std::string_view accept_encoding) {
    constexpr int unlisted = -1;
    int gzip_weight = unlisted, identity_weight = unlisted, any_weight = unlisted;
    for (auto rest = accept_encoding;;) {
        const auto comma = rest.find(',');
        const auto element = rest.substr(0, comma);
        const auto semicolon = element.find(';');
        const auto name = trim(element.substr(0, semicolon));
        const int weight = weight_of(semicolon == std::string_view::npos ? std::string_view{}
                                                                         : element.substr(semicolon + 1));
        if (weight >= 0) {
            if (equal_ignoring_case(name, "gzip") || equal_ignoring_case(name, "x-gzip"))
                gzip_weight = weight;
            else if (equal_ignoring_case(name, "identity"))
                identity_weight = weight;
            else if (name == "*")
                any_weight = weight;
        }
        if (comma == std::string_view::npos) break;
        rest.remove_prefix(comma + 1);
    }
    if (gzip_weight == unlisted) gzip_weight = any_weight == unlisted ? 0 : any_weight;
    const bool identity_refused = identity_weight == 0 || (identity_weight == unlisted && any_weight == 0);
    // Not listed, the plain form is acceptable but not asked for.
    if (gzip_weight > 0 && gzip_weight >= identity_weight) return content_coding::gzip;
    if (!identity_refused) return content_coding::identity;
    return std::nullopt;
}

std::optional<content_coding> choose_coding(const headers& request_headers) {
    if (!request_headers.has("Accept-Encoding")) return content_coding::identity;
    if (request_headers.count("Accept-Encoding") == 1)
        return choose_coding(request_headers.get("Accept-Encoding"));
    std::string all; // several fields are one list (RFC 9110 section 5.3)
    for (const auto f : request_headers)
        if (equal_ignoring_case(f.name, "Accept-Encoding")) all.append(f.value) += ',';
    return choose_coding(all);
}

std::string gzip(std::string_view text, int level) {
    z_stream z{};
    constexpr int gzip_window = 15 + 16, default_memory = 8;
    if (deflateInit2(&z, level, Z_DEFLATED, gzip_window, default_memory, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::bad_alloc{};
    std::string out(deflateBound(&z, text.size()), '\0');
    std::string input{text}; // zlib's interface is not const
    z.next_in = reinterpret_cast<Bytef*>(input.data());
    z.avail_in = static_cast<uInt>(input.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    deflate(&z, Z_FINISH); // deflateBound() made room for all of it
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

void compress(const request& req, response& r) {
    if (r.shared_body || r.stream || r.takeover || r.headers.has("Content-Encoding")) return;
    if (!is_compressible(r.headers.get("Content-Type"))) return;
    add_vary(r.headers, "Accept-Encoding");
    const auto coding = choose_coding(req.headers);
    if (!coding) {
        if (r.status >= 400) return; // an error in plain form beats an error about its form
        throw problem{406, "not_acceptable",
                      "The answer comes plain or in gzip; Accept-Encoding refuses both."};
    }
    if (*coding != content_coding::gzip || r.body.size() < least_gzip_bytes) return;
    r.body = gzip(r.body);
    r.headers.set("Content-Encoding", "gzip");
    const std::string etag{r.headers.get("ETag")};
    if (etag.size() >= 2 && etag.front() == '"')
        r.headers.set("ETag", etag.substr(0, etag.size() - 1) + "-gz\"");
}

void add_vary(headers& h, std::string_view name) {
    const std::string old{h.get("Vary")};
    for (std::string_view rest = old; !rest.empty();) {
        const auto comma = rest.find(',');
        const auto element = trim(rest.substr(0, comma));
        if (element == "*" || equal_ignoring_case(element, name)) return;
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    h.set("Vary", old.empty() ? std::string{name} : old + ", " + std::string{name});
}

} // namespace tiktrend::http
