// The fastest server one can write with Beast on one thread, to see how far from it the gateway is: every
// request gets the same ready-made answer, nothing is looked at.
//
//   tiktrend-bench-echo FD BODY_FILE → writes {"port"} to the socket FD and serves until it closes
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

std::string make_answer(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

class session : public std::enable_shared_from_this<session> {
public:
    session(tcp::socket socket, const std::string& answer) : socket_{std::move(socket)}, answer_{answer} {}

    void read() {
        parser_.emplace();
        http::async_read(socket_, buffer_, *parser_,
                         [self = shared_from_this()](boost::system::error_code ec, std::size_t) {
                             if (!ec) self->write();
                         });
    }

private:
    void write() {
        asio::async_write(socket_, asio::buffer(answer_),
                          [self = shared_from_this()](boost::system::error_code ec, std::size_t) {
                              if (!ec) self->read();
                          });
    }

    tcp::socket socket_;
    const std::string& answer_;
    boost::beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::empty_body>> parser_;
};

void accept(tcp::acceptor& acceptor, const std::string& answer) {
    acceptor.async_accept([&](boost::system::error_code ec, tcp::socket socket) {
        if (ec) return;
        socket.set_option(tcp::no_delay{true});
        std::make_shared<session>(std::move(socket), answer)->read();
        accept(acceptor, answer);
    });
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: tiktrend-bench-echo FD BODY_FILE\n", stderr);
        return 2;
    }
    std::ifstream file{argv[2]};
    const auto answer = make_answer({std::istreambuf_iterator<char>{file}, {}});
    asio::io_context context{1};
    tcp::acceptor acceptor{context, {asio::ip::make_address("127.0.0.1"), 0}};
    accept(acceptor, answer);
    asio::posix::stream_descriptor owner{context, std::atoi(argv[1])};
    asio::write(owner, asio::buffer("{\"port\":" + std::to_string(acceptor.local_endpoint().port()) + "}\n"));
    char byte;
    owner.async_read_some(asio::buffer(&byte, 1),
                          [&](boost::system::error_code, std::size_t) { context.stop(); });
    context.run();
}
