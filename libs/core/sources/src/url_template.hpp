#pragma once
// A template of a URL: every variable is escaped by where it stands, so that no value can leave its place.
#include "text_template.hpp"

namespace tiktrend::sources {

class url_template {
public:
    /// The template, or what is wrong with it. It begins with "https://" or "http://", with an input of type
    /// url or origin, or, when names.has_row, with a row variable, response.url or a slash (a link that is
    /// resolved later). Optional inputs without a default are refused where no row is there to be skipped.
    static result<url_template, std::string> compile(std::string_view text, const template_names& names);

    struct rendered {
        std::string url;
        std::string display; ///< secrets replaced by ***; empty when there are none
    };
    enum class failure : std::uint8_t { none, no_value, bad_value };

    /// Variables in the host may hold letters, digits, '.', '-', ':' and brackets only: anything else is
    /// bad_value, and `problem` (if not null) says which. In the path they are encoded as one segment, in the
    /// query as a value.
    failure render(const template_values& values, rendered& out, std::string* problem = nullptr) const;

    bool has_secret() const noexcept { return text_.has_secret(); }

private:
    enum class place : std::uint8_t { whole, host, host_end, path, query };
    text_template text_;
    std::vector<place> places_; ///< one per piece
};

} // namespace tiktrend::sources
