#pragma once
#include <tiktrend/testing/line_peer.hpp>
#include <tiktrend/testing/redis_server.hpp>

#include <boost/json.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::interop {

namespace json = boost::json;

/// Whose queue library an actor uses.
enum class library { ours, node6, node5 };
std::string_view to_string(library l) noexcept;

/// A process that adds and runs jobs with one library, driven by the calls of tests/interop/README.md.
class actor {
public:
    /// Starts the process. `database`: of the program's Redis.
    explicit actor(library which, int database = 0);

    /// One of each library for the whole program (starting Node costs half a second); for tests that kill
    /// nobody.
    static actor& shared(library which);

    library which() const noexcept { return which_; }

    /// Throws std::runtime_error with the other side's message, or when it does not answer in 30 s.
    json::value call(std::string_view verb, json::object arguments = {});

    /// As call() in two steps, so that something can be done meanwhile.
    std::int64_t send(std::string_view verb, json::object arguments);
    json::value receive(std::int64_t seq);

    void kill() { peer_.child().kill(); } ///< SIGKILL

private:
    library which_;
    testing::line_peer peer_;
    std::int64_t last_seq_ = 0;
    std::map<std::int64_t, json::object> early_; ///< answers that came before somebody asked for them
};

/// A queue name that no other test of this program uses.
std::string fresh_queue(std::string_view what);

/// Who adds and who runs, for GENERATE: ours with each Node version, both ways.
struct pairing {
    library producer;
    library worker;
};
std::vector<pairing> both_ways();
std::ostream& operator<<(std::ostream& out, const pairing& p);
std::ostream& operator<<(std::ostream& out, library l);

/// A worker of an actor; stopped at the end of the scope. `options` as BullMQ names them.
class worker_of {
public:
    worker_of(actor& who, const std::string& queue, json::object options = {});
    ~worker_of();
    worker_of(const worker_of&) = delete;
    worker_of& operator=(const worker_of&) = delete;

    const std::string& name() const noexcept { return name_; }
    /// Ids in the order of their starts, one an attempt.
    std::vector<std::string> ran();
    void stop();
    void forget() { stopped_ = true; } ///< its process was killed

private:
    actor& who_;
    std::string name_;
    bool stopped_ = false;
};

std::string add(actor& who, const std::string& queue, json::object data = {}, json::object opts = {},
                std::string_view name = "job");
json::object job(actor& who, const std::string& queue, const std::string& id);
std::string state(actor& who, const std::string& queue, const std::string& id);
/// Waits until the job is there; false past the bound.
bool reaches(actor& who, const std::string& queue, const std::string& id, std::string_view state,
             std::chrono::milliseconds limit = std::chrono::seconds{15});

} // namespace tiktrend::interop
