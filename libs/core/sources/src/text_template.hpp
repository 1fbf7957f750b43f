#pragma once
// Templates that only substitute: {{ input.x }}, {{ page.number }}, {{ secret.x }}, {{ row.a.b }}, {{
// response.url }}, each with filters from a fixed list ({{ row.handle | path_segment }}). No loops, no
// conditions, no code. Compiled at load, where every name is checked.
#include "json_document.hpp"
#include "path.hpp"

#include <tiktrend/sources/input.hpp>
#include <tiktrend/sources/request.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

enum class template_filter : std::uint8_t { trim, lower, upper, path_segment, query_value };

struct template_piece {
    enum class kind : std::uint8_t {
        literal,
        input,
        page_number,
        page_index,
        cursor,
        secret,
        row,
        response_url
    };
    template_piece::kind type = kind::literal;
    std::string text; ///< literal text or the name
    path row_path;
    std::vector<template_filter> filters;

    bool is_variable() const noexcept { return type != kind::literal; }
    bool has_filter(template_filter f) const noexcept;
};

/// Which names a template may use where it stands.
struct template_names {
    const std::vector<input_field>* inputs = nullptr;
    const std::vector<std::string>* secrets = nullptr; ///< null: none allowed here
    bool has_page = false;
    bool has_row = false;
    bool has_response = false;
};

/// The values to put in.
struct template_values {
    const input_values* inputs = nullptr;
    const page_state* page = nullptr;
    const std::map<std::string, std::string, std::less<>>* secrets = nullptr;
    json_node row;
    std::string_view response_url;
};

class text_template {
public:
    /// The template, or what is wrong with it in one line.
    static result<text_template, std::string> compile(std::string_view text, const template_names& names);

    const std::vector<template_piece>& pieces() const noexcept { return pieces_; }
    bool is_literal() const noexcept;
    bool has_secret() const noexcept;
    /// The input's name if the template is {{ input.x }} and nothing else.
    std::optional<std::string_view> lone_input() const noexcept;

    /// Appends the text to `out`. False if a variable has no value (an optional input, a missing member):
    /// `out` is then useless.
    bool render(const template_values& values, std::string& out) const;

private:
    std::vector<template_piece> pieces_;
};

/// The value of one variable with its filters; nothing if it has none.
std::optional<std::string> value_of(const template_piece& piece, const template_values& values);

void append_percent_encoded(std::string& out, std::string_view text, std::string_view also_allowed);

} // namespace tiktrend::sources
