#include "body_decoder.hpp"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <functional>

namespace tiktrend::fetch {
namespace {

constexpr std::size_t max_layers = 5;
constexpr std::size_t piece_bytes = 32U << 10;
constexpr int max_zstd_window_log = 23; ///< 8 MiB, what RFC 9659 lets an HTTP sender use

using sink = std::function<decode_status(std::string_view)>;

Bytef* zlib_bytes(const char* p) {
    return reinterpret_cast<Bytef*>(const_cast<char*>(p));
}
const std::uint8_t* bytes_of(const char* p) {
    return reinterpret_cast<const std::uint8_t*>(p);
}

} // namespace

class body_decoder::layer {
public:
    virtual ~layer() = default;
    virtual decode_status write(std::string_view in, const sink& out) = 0;
    virtual bool is_complete() const noexcept = 0;
    std::uint64_t produced = 0;
    bool has_input = false;
};

namespace {

/// gzip (several members too) and deflate with or without the zlib header.
class zlib_layer final : public body_decoder::layer {
public:
    explicit zlib_layer(bool is_gzip) : is_gzip_{is_gzip} {}
    ~zlib_layer() override {
        if (is_open_) inflateEnd(&stream_);
    }
    bool is_complete() const noexcept override { return has_ended_; }

    decode_status write(std::string_view in, const sink& out) override {
        if (!is_open_) {
            head_ += in;
            if (!is_gzip_ && head_.size() < 2) return decode_status::ok;
            open();
            in = head_;
        }
        stream_.next_in = zlib_bytes(in.data());
        stream_.avail_in = static_cast<uInt>(in.size());
        bool has_more_output = false; // a full piece: zlib may hold more without further input
        while (stream_.avail_in != 0 || has_more_output) {
            if (has_ended_) {
                if (stream_.avail_in == 0) return decode_status::ok;
                // Another member may follow; anything else behind the end is padding that every browser
                // ignores.
                if (!is_gzip_ || *stream_.next_in != 0x1f) return decode_status::ok;
                inflateReset(&stream_);
                has_ended_ = false;
            }
            std::array<char, piece_bytes> piece;
            stream_.next_out = zlib_bytes(piece.data());
            stream_.avail_out = static_cast<uInt>(piece.size());
            const int code = inflate(&stream_, Z_NO_FLUSH);
            const std::size_t n = piece.size() - stream_.avail_out;
            has_more_output = stream_.avail_out == 0;
            if (n != 0)
                if (const auto s = out({piece.data(), n}); s != decode_status::ok) return s;
            if (code == Z_STREAM_END)
                has_ended_ = true;
            else if (code == Z_BUF_ERROR && n == 0)
                return decode_status::ok; // needs more input
            else if (code != Z_OK)
                return produced == 0 ? decode_status::foreign : decode_status::damaged;
        }
        return decode_status::ok;
    }

private:
    void open() {
        const auto b0 = static_cast<unsigned char>(head_[0]);
        const auto b1 = static_cast<unsigned char>(head_.size() > 1 ? head_[1] : 0);
        const bool has_zlib_header = (b0 & 0x0f) == Z_DEFLATED && ((b0 << 8) | b1) % 31 == 0;
        const int window = is_gzip_ ? 15 + 16 : has_zlib_header ? 15 : -15;
        if (inflateInit2(&stream_, window) != Z_OK) throw std::bad_alloc{};
        is_open_ = true;
    }

    bool is_gzip_;
    bool is_open_ = false;
    bool has_ended_ = false;
    std::string head_;
    z_stream stream_{};
};

class brotli_layer final : public body_decoder::layer {
public:
    brotli_layer()
        : state_{BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), &BrotliDecoderDestroyInstance} {
        if (!state_) throw std::bad_alloc{};
    }
    bool is_complete() const noexcept override { return BrotliDecoderIsFinished(state_.get()) != 0; }

    decode_status write(std::string_view in, const sink& out) override {
        std::size_t available_in = in.size();
        const std::uint8_t* next_in = bytes_of(in.data());
        for (;;) {
            if (is_complete()) return decode_status::ok;
            std::array<std::uint8_t, piece_bytes> piece;
            std::size_t available_out = piece.size();
            std::uint8_t* next_out = piece.data();
            const auto code = BrotliDecoderDecompressStream(state_.get(), &available_in, &next_in,
                                                            &available_out, &next_out, nullptr);
            if (const std::size_t n = piece.size() - available_out; n != 0)
                if (const auto s = out({reinterpret_cast<const char*>(piece.data()), n});
                    s != decode_status::ok)
                    return s;
            if (code == BROTLI_DECODER_RESULT_ERROR)
                return produced == 0 ? decode_status::foreign : decode_status::damaged;
            if (code == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) return decode_status::ok;
        }
    }

private:
    std::unique_ptr<BrotliDecoderState, decltype(&BrotliDecoderDestroyInstance)> state_;
};

class zstd_layer final : public body_decoder::layer {
public:
    zstd_layer() : state_{ZSTD_createDCtx(), &ZSTD_freeDCtx} {
        if (!state_) throw std::bad_alloc{};
        ZSTD_DCtx_setParameter(state_.get(), ZSTD_d_windowLogMax, max_zstd_window_log);
    }
    bool is_complete() const noexcept override { return at_frame_end_; }

    decode_status write(std::string_view in, const sink& out) override {
        if (in.empty()) return decode_status::ok;
        ZSTD_inBuffer input{in.data(), in.size(), 0};
        for (;;) {
            std::array<char, piece_bytes> piece;
            ZSTD_outBuffer output{piece.data(), piece.size(), 0};
            const std::size_t code = ZSTD_decompressStream(state_.get(), &output, &input);
            if (output.pos != 0)
                if (const auto s = out({piece.data(), output.pos}); s != decode_status::ok) return s;
            if (ZSTD_isError(code)) {
                if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
                    return decode_status::too_large;
                return produced == 0 ? decode_status::foreign : decode_status::damaged;
            }
            at_frame_end_ = code == 0;
            // Asked once more at the end of a frame it would begin the next one and call that unfinished.
            if (input.pos == input.size && (at_frame_end_ || output.pos < piece.size()))
                return decode_status::ok;
        }
    }

private:
    std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> state_;
    bool at_frame_end_ = false;
};

std::unique_ptr<body_decoder::layer> make_layer(std::string_view name) {
    if (name == "gzip" || name == "x-gzip") return std::make_unique<zlib_layer>(true);
    if (name == "deflate") return std::make_unique<zlib_layer>(false);
    if (name == "br") return std::make_unique<brotli_layer>();
    if (name == "zstd") return std::make_unique<zstd_layer>();
    return nullptr;
}

} // namespace

body_decoder::body_decoder(std::size_t max_bytes) : max_bytes_{max_bytes} {}
body_decoder::body_decoder(body_decoder&&) noexcept = default;
body_decoder& body_decoder::operator=(body_decoder&&) noexcept = default;
body_decoder::~body_decoder() = default;

result<body_decoder, std::string> body_decoder::make(std::string_view content_encoding,
                                                     std::size_t max_bytes) {
    body_decoder out{max_bytes};
    for (std::string_view rest = content_encoding; !rest.empty();) {
        const auto comma = rest.find(',');
        auto word = rest.substr(0, comma);
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
        while (!word.empty() && (word.front() == ' ' || word.front() == '\t'))
            word.remove_prefix(1);
        while (!word.empty() && (word.back() == ' ' || word.back() == '\t'))
            word.remove_suffix(1);
        std::string name{word};
        for (auto& c : name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (name.empty() || name == "identity") continue;
        auto next = make_layer(name);
        if (!next) return "unknown Content-Encoding " + name.substr(0, 40);
        if (out.layers_.size() == max_layers) return std::string{"more than five layers of Content-Encoding"};
        out.layers_.push_back(std::move(next));
    }
    std::reverse(out.layers_.begin(), out.layers_.end()); // the header lists them in the order of applying
    return out;
}

decode_status body_decoder::pass(std::size_t depth, std::string_view bytes) {
    if (depth == layers_.size()) {
        const auto room = max_bytes_ - body_.size();
        body_ += bytes.substr(0, room); // whoever cuts bodies wants the beginning
        return bytes.size() > room ? decode_status::too_large : decode_status::ok;
    }
    auto& here = *layers_[depth];
    here.has_input = here.has_input || !bytes.empty();
    return here.write(bytes, [&](std::string_view piece) {
        here.produced += piece.size();
        if (here.produced > max_bytes_) return decode_status::too_large;
        return pass(depth + 1, piece);
    });
}

decode_status body_decoder::write(std::string_view raw) {
    received_ += raw.size();
    return pass(0, raw);
}

decode_status body_decoder::finish() {
    // No byte at all is an empty body (HEAD, 204, 304), whatever the header promised.
    for (const auto& l : layers_)
        if (l->has_input && !l->is_complete()) return decode_status::damaged;
    return decode_status::ok;
}

} // namespace tiktrend::fetch
