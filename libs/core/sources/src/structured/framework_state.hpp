#pragma once
// The state that frameworks put into their pages in forms of their own, as plain JSON. What is not understood
// gives nothing. Output and work are bounded by a small multiple of the input, and by limits of their own.
#include "html/raw_html.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

/// Nuxt 3, SvelteKit (devalue): a list whose first element is the root and whose members and elements are
/// places in it: [{"name":1},"Tea"] → {"name":"Tea"}. Tags such as ["Reactive",1] are looked through.
std::optional<std::string> state_of_places(std::string_view json);

/// Nuxt 2: window.__NUXT__=(function(a,b){return {name:a,price:b}}("Tea",5)).
std::optional<std::string> state_of_function(std::string_view script);

/// Next.js with the app router: pieces of text pushed one by one (self.__next_f.push([1,"…"])), which make
/// rows of "number:value". The values that are JSON.
std::vector<std::string> states_of_pieces(const std::vector<script_block>& scripts);

} // namespace tiktrend::sources
