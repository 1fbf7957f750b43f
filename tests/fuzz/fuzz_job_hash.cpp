// The hash of a job as anybody may have written it: read without harm, and a scheduler's step planned from
// it.
#include "fuzzing.hpp"
#include "iteration.hpp"
#include "record.hpp"
#include "reply_reader.hpp"

namespace tiktrend::fuzz {
namespace {

/// The words as the reply to HGETALL.
redis::reply reply_of(const std::vector<std::string_view>& words) {
    std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
    for (const auto word : words)
        bytes.append("$" + std::to_string(word.size()) + "\r\n").append(word).append("\r\n");
    redis::reply_reader reader{1U << 24};
    reader.feed(bytes);
    redis::reply reply;
    error_code ec;
    require(reader.next(reply, ec));
    return reply;
}

} // namespace

std::vector<std::string> seeds() {
    const auto zero = [](std::string text) {
        for (auto& c : text)
            if (c == '|') c = '\0';
        return text;
    };
    return {
        zero(
            R"(name|paint|data|{"a":1}|opts|{"attempts":3}|timestamp|1700000000000|delay|0|priority|7|atm|1|ats|2|stc|0)"),
        zero(
            R"(name|x|stacktrace|["a","b"]|returnvalue|null|progress|5|finishedOn|1700000000001|defa|child failed)"),
        zero(
            R"(name|tick|rjk|s|opts|{"repeat":{"every":60000,"limit":5,"count":1},"attempts":0,"priority":3})"),
        zero(
            R"(opts|{"repeat":{"pattern":"0 * * * *","tz":"UTC","count":1}}|rjk|c|parentKey|bull:q:1|parent|{"id":"1"})"),
        zero("priority|99999999999999999999|delay|-5|timestamp|1.5e300|atm|x|ats||unknown|kept")};
}

void check(std::string_view input) {
    std::vector<std::string_view> words;
    for (std::string_view left = input; !left.empty() && words.size() < 4'000;) {
        const auto end = std::min(left.find('\0'), left.size());
        words.push_back(left.substr(0, end));
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    if (words.size() % 2) words.pop_back();
    const auto reply = reply_of(words);
    queue::options_reader options;
    queue::json_checker json;
    const auto job = queue::read_record("1", reply.root(), reply.size(), options, json);
    require(job.id == "1");
    queue::next_iteration next;
    if (queue::plan_next_iteration(job, 1'700'000'000'000, next) == queue::iteration_verdict::create)
        require(!next.opts.empty());
}

} // namespace tiktrend::fuzz
