// libFuzzer's two entries. The first folder named on the command line gets the fuzzer's own seeds, so that no
// corpus has to be kept in the repository:
//
//   tests/fuzz_reply CORPUS_FOLDER -max_total_time=600
#include "fuzzing.hpp"

#include <filesystem>
#include <fstream>

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
    for (int i = 1; i < *argc; ++i) {
        const std::filesystem::path folder{(*argv)[i]};
        if (folder.string().starts_with("-")) continue;
        if (std::filesystem::is_regular_file(folder)) break; // an input to play again
        std::filesystem::create_directories(folder);
        int n = 0;
        for (const auto& seed : tiktrend::fuzz::seeds())
            std::ofstream{folder / ("seed-" + std::to_string(++n)), std::ios::binary} << seed;
        break;
    }
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    tiktrend::fuzz::check({reinterpret_cast<const char*>(bytes), size});
    return 0;
}
