#include "values/truth.hpp"

#include "glob.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace tiktrend::sources {
namespace {

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& words, std::string_view text) noexcept {
    for (const auto word : words)
        if (equals_ignoring_case(word, text)) return true;
    return false;
}

/// Only ASCII letters: "https://schema.org/InStock" → "instock", "Out of stock" → "outofstock".
std::string letters_of(std::string_view text) {
    if (const auto slash = text.rfind('/'); slash != std::string_view::npos) text.remove_prefix(slash + 1);
    std::string out;
    for (const char c : text) {
        if (c >= 'a' && c <= 'z') out += c;
        if (c >= 'A' && c <= 'Z') out += static_cast<char>(c + 32);
    }
    return out;
}

/// Phrases of shops in the languages that they sell in; those that deny come first, as they hold the others.
constexpr std::array<std::string_view, 34> denials{"out of stock",
                                                   "sold out",
                                                   "unavailable",
                                                   "not available",
                                                   "ausverkauft",
                                                   "nicht verfügbar",
                                                   "nicht lieferbar",
                                                   "vergriffen",
                                                   "agotado",
                                                   "sin stock",
                                                   "no disponible",
                                                   "esgotado",
                                                   "indispon",
                                                   "rupture",
                                                   "épuisé",
                                                   "non disponib",
                                                   "esaurito",
                                                   "niedostępny",
                                                   "vypredan",
                                                   "vyprodán",
                                                   "nie je na sklad",
                                                   "není skladem",
                                                   "uitverkocht",
                                                   "niet op voorraad",
                                                   "slutsåld",
                                                   "udsolgt",
                                                   "utsolgt",
                                                   "нет в наличии",
                                                   "немає в наяв",
                                                   "в наличии нет",
                                                   "在庫切れ",
                                                   "売り切れ",
                                                   "품절",
                                                   "缺货"};
constexpr std::array<std::string_view, 27> affirmations{
    "in stock",    "auf lager",     "lieferbar",   "verfügbar", "en stock",   "disponible", "disponível",
    "disponibile", "em stock",      "em estoque",  "dostępny",  "skladom",    "na sklade",  "skladem",
    "op voorraad", "i lager",       "på lager",    "på lager",  "varastossa", "raktáron",   "în stoc",
    "в наличии",   "є в наявності", "в наявності", "在庫あり",  "有货",       "stokta"};

/// Lower case of ASCII letters and of the two-byte capitals of Latin-1 and Cyrillic.
std::string lower_of(std::string_view text) {
    std::string out{text};
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto c = static_cast<unsigned char>(out[i]);
        const auto next = i + 1 < out.size() ? static_cast<unsigned char>(out[i + 1]) : 0;
        if (c >= 'A' && c <= 'Z') {
            out[i] = static_cast<char>(c + 32);
        } else if (c == 0xC3 && next >= 0x80 && next <= 0x9E) { // À to Þ
            out[i + 1] = static_cast<char>(next + 0x20);
        } else if (c == 0xD0 && next >= 0x90 && next <= 0x9F) { // А to П
            out[i + 1] = static_cast<char>(next + 0x20);
        } else if (c == 0xD0 && next >= 0xA0 && next <= 0xAF) { // Р to Я
            out[i] = static_cast<char>(0xD1);
            out[i + 1] = static_cast<char>(next - 0x20);
        }
    }
    return out;
}

/// Words that turn what follows round: "not in stock", "nicht mehr lieferbar", "nu este în stoc".
constexpr std::array<std::string_view, 28> negations{
    "not",  "no",   "never", "isn't", "aren't", "nicht", "kein", "keine", "niet", "geen",
    "ikke", "inte", "ej",    "ei",    "pas",    "non",   "não",  "nao",   "nu",   "nincs",
    "nem",  "nie",  "není",  "neni",  "ni",     "nije",  "не",   "нет"};
/// And the few that stand behind: "stokta yok", "на складе нет".
constexpr std::array<std::string_view, 4> negations_behind{"yok", "değil", "нет", "немає"};

/// Takes the nearest word of a clause, which stands before or behind something; empty at its end. A dash by
/// itself ends a clause too.
std::string_view take_nearest(std::string_view& clause, bool is_before) noexcept {
    constexpr std::string_view blanks = " \t\r";
    const auto edge = is_before ? clause.find_last_not_of(blanks) : clause.find_first_not_of(blanks);
    if (edge == std::string_view::npos) return {};
    clause = is_before ? clause.substr(0, edge + 1) : clause.substr(edge);
    const auto gap = is_before ? clause.find_last_of(blanks) : clause.find_first_of(blanks);
    std::string_view word = clause;
    if (gap == std::string_view::npos) {
        clause = {};
    } else {
        word = is_before ? clause.substr(gap + 1) : clause.substr(0, gap);
        clause = is_before ? clause.substr(0, gap) : clause.substr(gap);
    }
    return word == "-" || word == "–" || word == "—" || word == "•" || word == "·" ? std::string_view{}
                                                                                   : word;
}

/// Whether one of the words stands among the nearest ones in the clause that `text` ends (or begins).
template <std::size_t N>
bool negates(const std::array<std::string_view, N>& words, std::string_view text, bool is_before) {
    constexpr int most = 4; // what is farther away is not meant
    constexpr std::string_view ends = ".,;:!?|/()\n";
    const auto end = is_before ? text.find_last_of(ends) : text.find_first_of(ends);
    if (end != std::string_view::npos) text = is_before ? text.substr(end + 1) : text.substr(0, end);
    for (int i = 0; i < most; ++i) {
        const auto word = take_nearest(text, is_before);
        if (word.empty()) return false;
        if (std::find(words.begin(), words.end(), word) != words.end()) return true;
        if (i == 0 && is_before && word == "plus") return true; // "plus en stock", but "plus que 3 en stock"
    }
    return false;
}

template <std::size_t N>
bool holds_one(const std::array<std::string_view, N>& phrases, std::string_view text) noexcept {
    for (const auto phrase : phrases)
        if (text.find(phrase) != std::string_view::npos) return true;
    return false;
}

} // namespace

converted<bool> bool_from_text(std::string_view text) {
    static constexpr std::array<std::string_view, 4> yes{"true", "yes", "1", "on"};
    static constexpr std::array<std::string_view, 4> no{"false", "no", "0", "off"};
    text = trim_blanks(text);
    if (is_one_of(yes, text)) return true;
    if (is_one_of(no, text)) return false;
    return reject{"is neither true nor false"};
}

converted<bool> availability_from_text(std::string_view text) {
    static constexpr std::array<std::string_view, 8> yes{
        "instock",     "limitedavailability", "onlineonly", "instoreonly",
        "madetoorder", "available",           "true",       "lowstock"};
    static constexpr std::array<std::string_view, 13> no{
        "outofstock", "soldout",     "discontinued", "preorder",   "presale", "backorder", "reserved",
        "notsold",    "unavailable", "notavailable", "notinstock", "false",   "oos"};
    if (text.size() > 200) return reject{"says nothing known about availability"};
    const auto word = letters_of(trim_blanks(text));
    if (is_one_of(yes, word)) return true;
    if (is_one_of(no, word)) return false;
    auto small = lower_of(text);
    for (auto at = small.find("\u00A0"); at != std::string::npos; at = small.find("\u00A0", at))
        small.replace(at, 2, " ");
    if (holds_one(denials, small)) return false;
    for (const auto phrase : affirmations) {
        const auto at = small.find(phrase);
        if (at == std::string::npos) continue;
        const std::string_view all{small};
        return !negates(negations, all.substr(0, at), true) &&
               !negates(negations_behind, all.substr(at + phrase.size()), false);
    }
    return reject{"says nothing known about availability"};
}

} // namespace tiktrend::sources
