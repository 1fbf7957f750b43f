// Cron patterns: any text is refused with a reason or gives times that move forward, at whole seconds, the
// same for all who ask.
#include "fuzzing.hpp"

#include <tiktrend/queue/cron.hpp>

namespace tiktrend::fuzz {

std::vector<std::string> seeds() {
    return {"\x01*/5 * * * *",
            "\x02"
            "0 0 3 * * *",
            "\x03"
            "0 12 L * ?",
            "\x04"
            "30 4 1,15 * 5",
            "\x05@daily",
            "\x06"
            "0 9 * * MON-FRI",
            "\x07"
            "15 10 * * 5#3",
            "\x01"
            "0 22 * jan,jul 5L",
            "\x02*/10 8-18/2 * * 1-5",
            "\x03"
            "0 0 30 2 *",
            "\x04"
            "59 59 23 31 12 *"};
}

void check(std::string_view input) {
    static constexpr const char* zones[]{"",
                                         "UTC",
                                         "Europe/Madrid",
                                         "America/New_York",
                                         "Australia/Lord_Howe",
                                         "Asia/Kathmandu",
                                         "Pacific/Apia",
                                         "UTC+2"};
    if (input.empty() || input.size() > 200) return;
    const auto first = static_cast<unsigned char>(input.front());
    const auto* zone = zones[first % 8];
    std::string why;
    const auto cron = queue::cron_expression::parse(input.substr(1), why);
    if (!cron) {
        require(!why.empty());
        return;
    }
    std::int64_t at = 1'700'000'000'123 + first * 86'400'000LL * 13;
    for (int i = 0; i < 3; ++i) {
        const auto next = cron->next_after(at, zone);
        require(next == cron->next_after(at, zone));
        if (!next) return;
        require(*next > at && *next % 1000 == 0);
        at = *next;
    }
}

} // namespace tiktrend::fuzz
