#include <tiktrend/queue/event_types.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::queue {
namespace {

using fields = std::vector<std::pair<std::string, std::string>>;

event_type::any typed(std::string name, fields f) {
    queue_event e;
    e.name = std::move(name);
    e.fields = std::move(f);
    return event_type::of(e);
}

TEST_CASE("each event has its struct", "[unit][queue][events]") {
    CHECK(std::get<event_type::added>(typed("added", {{"jobId", "1"}, {"name", "n"}})).name == "n");
    CHECK(std::get<event_type::waiting>(typed("waiting", {{"jobId", "1"}, {"prev", "delayed"}})).previous ==
          "delayed");
    CHECK(std::get<event_type::delayed>(typed("delayed", {{"jobId", "1"}, {"delay", "1795453858230"}}))
              .until_ms == 1'795'453'858'230);
    CHECK(
        std::get<event_type::waiting_children>(typed("waiting-children", {{"jobId", "1"}})).previous.empty());
    CHECK(std::get<event_type::active>(typed("active", {{"jobId", "1"}, {"prev", "waiting"}})).previous ==
          "waiting");
    CHECK(std::get<event_type::completed>(typed("completed", {{"jobId", "1"}, {"returnvalue", "[7]"}}))
              .return_value == "[7]");
    CHECK(std::get<event_type::failed>(typed("failed", {{"failedReason", "why"}})).reason == "why");
    CHECK(std::get<event_type::retries_exhausted>(typed("retries-exhausted", {{"attemptsMade", "3"}}))
              .attempts_made == 3);
    CHECK(std::get<event_type::stalled>(typed("stalled", {{"jobId", "s"}})).job_id == "s");
    CHECK(std::get<event_type::progress>(typed("progress", {{"data", "{}"}})).data == "{}");
    CHECK(std::get<event_type::removed>(typed("removed", {{"prev", "wait"}})).previous == "wait");
    CHECK(std::get<event_type::cleaned>(typed("cleaned", {{"count", "12"}})).count == 12);
    CHECK(std::get<event_type::duplicated>(typed("duplicated", {{"jobId", "d"}})).job_id == "d");
    const auto d = std::get<event_type::deduplicated>(
        typed("deduplicated", {{"jobId", "a"}, {"deduplicationId", "x"}, {"deduplicatedJobId", "b"}}));
    CHECK((d.job_id == "a" && d.deduplication_id == "x" && d.other_job_id == "b"));
    CHECK(std::get<event_type::debounced>(typed("debounced", {{"debounceId", "x"}})).debounce_id == "x");
    CHECK(std::holds_alternative<event_type::drained>(typed("drained", {})));
    CHECK(std::holds_alternative<event_type::paused>(typed("paused", {})));
    CHECK(std::holds_alternative<event_type::resumed>(typed("resumed", {})));
}

TEST_CASE("an unknown event is custom, and missing or strange fields are empty", "[unit][queue][events]") {
    const auto custom = std::get<event_type::custom>(typed("price-drop", {{"sku", "7"}}));
    CHECK(custom.name == "price-drop");
    CHECK(custom.fields == fields{{"sku", "7"}});
    CHECK(std::get<event_type::delayed>(typed("delayed", {{"delay", "soon"}})).until_ms == 0);
    CHECK(std::get<event_type::delayed>(typed("delayed", {{"delay", "12.5"}})).until_ms == 12);
    CHECK(std::get<event_type::completed>(typed("completed", {})).return_value.empty());
}

} // namespace
} // namespace tiktrend::queue
