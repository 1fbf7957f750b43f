// Our cron patterns beside cron-parser, the one that BullMQ 6.7.0 uses: who fetches a scheduler's job
// computes the next time, so both must say the same, to the second, also where clocks change.
#include "actor.hpp"

#include <tiktrend/queue/cron.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cstdlib>
#include <random>

using namespace tiktrend::interop;
using tiktrend::queue::cron_expression;

namespace {

constexpr std::array zones{"UTC",
                           "Europe/Madrid",
                           "America/New_York",
                           "America/Sao_Paulo",
                           "Asia/Kolkata",
                           "Australia/Lord_Howe",
                           "Asia/Kathmandu",
                           "America/St_Johns",
                           "Africa/Casablanca",
                           "Pacific/Apia",
                           "America/Havana",
                           "Asia/Beirut",
                           "Europe/London",
                           "Pacific/Chatham",
                           "America/Santiago",
                           "Asia/Tokyo"};

struct field {
    int min, max;
    const char* names; ///< some, three letters each
};
constexpr std::array<field, 6> fields{
    {{0, 59, ""}, {0, 59, ""}, {0, 23, ""}, {1, 31, ""}, {1, 12, "JANmarJulNOV"}, {0, 7, "SUNmonFriSAT"}}};

class pattern_maker {
public:
    explicit pattern_maker(std::uint64_t seed) : engine_{seed} {}

    std::string pattern() {
        std::string out;
        const auto first = below(3) == 0 ? 0U : 1U; // mostly five fields
        for (auto i = first; i < 6; ++i)
            out += (out.empty() ? "" : " ") + text(i);
        if (below(60) == 0)
            out.insert(static_cast<std::size_t>(below(static_cast<int>(out.size()))), 1,
                       "x,-/#L*7?"[below(9)]);
        return out;
    }
    /// From 2024 to 2035, half of them within two days of a change of the clock on the northern half.
    std::int64_t from() {
        constexpr std::int64_t day = 86'400'000, start = 1'704'067'200'000;
        if (below(2) == 0)
            return start + static_cast<std::int64_t>(engine_() % (11 * 365 * std::uint64_t{day}));
        static constexpr std::array changes{1711846800000, 1729994400000, 1741503600000, 1762063200000,
                                            1774746000000, 1792893600000, 1712415600000, 1728142200000,
                                            1743262200000, 1804982400000};
        const auto ms = static_cast<std::int64_t>(engine_() % (4 * std::uint64_t{day})) - 2 * day;
        const auto at = changes[static_cast<std::size_t>(below(10))] + ms;
        return below(2) == 0 ? at / 60'000 * 60'000 : at;
    }
    const char* zone() { return zones[static_cast<std::size_t>(below(static_cast<int>(zones.size())))]; }

private:
    int below(int n) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(n)); }
    int in(int from, int to) { return from + below(to - from + 1); }

    std::string value(const field& f) {
        const std::string_view names{f.names};
        if (!names.empty() && below(4) == 0)
            return std::string{
                names.substr(static_cast<std::size_t>(below(static_cast<int>(names.size() / 3))) * 3, 3)};
        return std::to_string(in(f.min, f.max));
    }
    std::string item(unsigned i) {
        const auto& f = fields[i];
        switch (below(i == 2 ? 6 : 9)) {
        case 0:
            return "*/" + std::to_string(in(1, f.max));
        case 1: {
            const auto a = in(f.min, f.max), b = in(f.min, f.max);
            return std::to_string(std::min(a, b)) + "-" + std::to_string(std::max(a, b)) +
                   (below(2) == 0 ? "/" + std::to_string(in(1, 5)) : "");
        }
        case 2:
            return value(f) + "/" + std::to_string(in(1, 20));
        default:
            return value(f);
        }
    }
    std::string text(unsigned i) {
        const auto choice = below(10);
        if (choice < (i >= 3 ? 5 : 2)) return below(8) == 0 ? "?" : "*";
        if (i == 3 && choice == 9) return "L";
        if (i == 5 && choice == 9) return std::to_string(in(0, 7)) + "L";
        if (i == 5 && choice == 8) return std::to_string(in(0, 7)) + "#" + std::to_string(in(1, 5));
        auto out = item(i);
        if (below(4) == 0) out += "," + item(i);
        return out;
    }

    std::mt19937_64 engine_;
};

std::string ours(const std::string& pattern, const std::string& zone, std::int64_t from) {
    std::string why;
    const auto e = cron_expression::parse(pattern, why);
    if (!e) return "refused";
    const auto next = e->next_after(from, zone);
    return next ? std::to_string(*next) : "none";
}

std::string theirs(const json::value& answer) {
    if (answer.is_null()) return "none";
    if (answer.is_string()) return "refused";
    return std::to_string(answer.to_number<std::int64_t>());
}

/// Cases in which the two differ, as text.
std::vector<std::string> differences_of_part(const json::array& cases) {
    const auto answers = actor::shared(library::node6).call("cron", {{"cases", cases}});
    std::vector<std::string> out;
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const std::string pattern{cases[i].at("pattern").as_string()}, zone{cases[i].at("tz").as_string()};
        const auto from = cases[i].at("from").as_int64();
        const auto a = ours(pattern, zone, from), b = theirs(answers.at(i));
        if (a != b)
            out.push_back("\"" + pattern + "\" in " + zone + " after " + std::to_string(from) + ": ours " +
                          a + ", theirs " + b + " " + json::serialize(answers.at(i)));
    }
    return out;
}

std::vector<std::string> differences(const json::array& all) {
    constexpr std::size_t per_call = 500;
    std::vector<std::string> out;
    for (std::size_t from = 0; from < all.size(); from += per_call) {
        const json::array part(all.begin() + from, all.begin() + std::min(from + per_call, all.size()));
        for (auto& d : differences_of_part(part))
            out.push_back(std::move(d));
    }
    return out;
}

} // namespace

TEST_CASE("random patterns are due when cron-parser says, in zones that change their clocks",
          "[interop][cron]") {
    const bool is_long = std::getenv("TIKTREND_LONG_TESTS") != nullptr;
    const auto* given = std::getenv("TIKTREND_SEED");
    const auto seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    CAPTURE(seed);
    pattern_maker maker{seed};
    std::size_t known = 0;
    for (int round = 0; round < (is_long ? 200 : 8); ++round) {
        json::array cases;
        for (int i = 0; i < 500; ++i)
            cases.push_back({{"pattern", maker.pattern()}, {"tz", maker.zone()}, {"from", maker.from()}});
        const auto found = differences(cases);
        CHECK(found == std::vector<std::string>{});
        for (const auto& c : cases)
            known += ours(std::string{c.at("pattern").as_string()}, "UTC", 0) != "refused" ? 1 : 0;
        if (!found.empty()) break;
    }
    CHECK(known > 2000); // most of them mean something
}

TEST_CASE("each kind of pattern is followed through both changes of the clock", "[interop][cron]") {
    json::array cases;
    for (const char* pattern :
         {"30 2 * * *", "*/20 * * * *", "0 * * * *", "15 1-3 * * *", "0 0 * * *", "30 0 * * *", "*/7 2 * * *",
          "59 59 23 * * *", "0 0 L * *", "@hourly", "@weekdays", "0 2 * * 0", "45 1,2 * * *", "0 3 * * 7"})
        for (const char* zone : zones)
            for (const auto change : {1711846800000, 1729994400000, 1743296400000, 1762063200000})
                for (int quarter = -100; quarter <= 100; quarter += 25)
                    cases.push_back(
                        {{"pattern", pattern}, {"tz", zone}, {"from", change + quarter * 900'000LL}});
    CHECK(differences(cases) == std::vector<std::string>{});
}
