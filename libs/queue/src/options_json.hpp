#pragma once
#include <tiktrend/queue/job_options.hpp>

#include <string>

namespace tiktrend::queue {

constexpr std::int32_t max_priority =
    2'097'151; ///< 21 bits: priority * 2^32 + counter stays exact in a double

/// Whether `attempts` is written when it is not set: jobs always have it, schedulers' templates do not.
enum class attempts_member { always, if_set };

/// The job's options as they are stored in `opts`: BullMQ's short keys, unset members left out.
std::string options_to_json(const job_options& options, attempts_member attempts = attempts_member::always);

/// The options with the queue's defaults in place of what is unset. A number counts as unset when it is zero.
job_options with_defaults(job_options options, const job_options& defaults);
void fill_in(job_options& options, const job_options& defaults); ///< as with_defaults(), in place

/// The hash field `parent` of a child: {"id","queueKey"} and the flag of its failure policy.
std::string parent_field(const job_options& options);

/// What add_job.lua needs to know about a job beyond its words: "L", "R" (lifo), or JSON text for a job with
/// a deduplication id, a parent or children. `emits_debounced`: version 5's event too.
std::string side_word(const job_options& options, bool waits_for_children = false,
                      bool emits_debounced = false);

} // namespace tiktrend::queue
