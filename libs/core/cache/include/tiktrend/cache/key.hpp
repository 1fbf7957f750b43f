#pragma once
// clang-format off
// The one file of key names. Everything lives below two prefixes, so that clients can follow the second
// alone:
//
//   cache:v:{SCOPE}:list:TEXT  string  one stored answer (entry.hpp), expires
//   cache:v:{SCOPE}:one:ID     string  one stored answer, expires
//   cache:v:{SCOPE}:old:ID     string  the answer of an item that was invalidated, expires as it would have
//   cache:i:{SCOPE}:era        string  "CLEARED LSN" or "CLEARED.CHANGED LSN": the first token changes when the
//                                      scope is cleared, the second when all of it may have changed
//   cache:i:{SCOPE}:lists      string  "TOKEN LSN": the generation of the lists, and of their last invalidation
//   cache:i:{SCOPE}:one:ID     string  "TOKEN LSN" of one item's last invalidation, expires
//
// The braces keep a scope in one slot of a Redis Cluster. Persisted: do not change the meaning of a name.
// clang-format on
#include <string>
#include <string_view>

namespace tiktrend::cache {

/// Prefix of all keys whose change means "drop what you hold".
inline constexpr std::string_view invalidation_prefix = "cache:i:";

/// A group of answers that are invalidated together: "products", "categories", "copy", "quota".
/// Lower-case letters, digits, '-' and '_' only.
std::string era_key(std::string_view scope);
std::string lists_guard_key(std::string_view scope);
std::string one_guard_key(std::string_view scope, std::string_view id);
std::string list_value_key(std::string_view scope, std::string_view text);
std::string one_value_key(std::string_view scope, std::string_view id);
std::string one_old_key(std::string_view scope, std::string_view id);

/// Names one answer.
class key {
public:
    /// A list, keyed by its canonical filter: two requests that mean the same must give the same text. Texts
    /// above 200 bytes are replaced by their SHA-256. Valid until lists of the scope are invalidated.
    static key list(std::string_view scope, std::string_view canonical_filter);
    /// One item. Valid until this item is invalidated.
    static key one(std::string_view scope, std::string_view id);

    bool is_list() const noexcept { return is_list_; }
    const std::string& scope() const noexcept { return scope_; }
    const std::string& value() const noexcept { return value_; } ///< Redis key of the answer
    const std::string& guard() const noexcept { return guard_; } ///< Redis key whose change invalidates it
    const std::string& era() const noexcept { return era_; }
    /// Redis key of an item's answer from before its last invalidation; empty for a list, which stays where
    /// it is.
    const std::string& old() const noexcept { return old_; }

private:
    key() = default;
    bool is_list_ = false;
    std::string scope_;
    std::string value_;
    std::string guard_;
    std::string era_;
    std::string old_;
};

} // namespace tiktrend::cache
