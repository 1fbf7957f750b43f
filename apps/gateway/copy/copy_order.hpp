#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace tiktrend::gateway {

/// What POST /copy asks for.
struct copy_order {
    std::int64_t product_id = 0;
    std::string tone;     ///< friendly, professional, playful, luxurious, urgent, informative
    std::string language; ///< BCP 47
    std::string length;   ///< short, medium, long
    std::string facts;    ///< JSON object: facts_of() of the product
};

/// What the copy may say about a product, from its API form: known members only, long text cut. The same
/// facts give the same text, so it stands for the product's content in the cache's key.
std::string facts_of(std::string_view product_json);

/// Names the answer: SHA-256 in hex of everything that the prompt depends on.
std::string copy_key(const copy_order& order, std::string_view model);

/// The body of POST /chat/completions (https://platform.openai.com/docs/api-reference/chat). With `stream`,
/// the endpoint is asked to send pieces and the use of tokens at the end.
std::string completion_request(const copy_order& order, std::string_view model, int max_tokens, bool stream);

} // namespace tiktrend::gateway
