#pragma once
#include <string>
#include <vector>

namespace tiktrend::bench {

/// One measured quantity: what each side reached, round by round.
struct row {
    std::string name; ///< "queue_add_single"
    std::string unit; ///< "jobs/s", "us/job"
    std::string peer; ///< "bullmq 6.7.0"
    std::string goal; ///< of the ratio, as design and documentation state it; empty: none
    std::vector<double> ours, theirs;

    double median_ours() const;
    double median_theirs() const;
    /// Ours / theirs, the median over the rounds.
    double ratio() const;
    /// Half the range of the rounds' ratios, as a share of the median ratio: 0.05 is "± 5 %".
    double spread() const;
};

void print(const std::vector<row>& rows);

/// [{name, unit, ours, peer, theirs, ratio, spread}, …]. Throws std::runtime_error if the file cannot be
/// written.
void write_json(const std::vector<row>& rows, const std::string& file);

double median(std::vector<double> values);

} // namespace tiktrend::bench
