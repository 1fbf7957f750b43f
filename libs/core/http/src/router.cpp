#include <tiktrend/base/error.hpp>
#include <tiktrend/base/json_text.hpp>
#include <tiktrend/http/problem.hpp>
#include <tiktrend/http/query.hpp>
#include <tiktrend/http/router.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <stdexcept>
#include <unordered_map>

namespace tiktrend::http {
namespace {

constexpr std::size_t method_count = static_cast<std::size_t>(method::other) + 1;

/// What one path template answers.
struct route {
    std::string path_template;
    std::vector<std::string> parameter_names;
    std::array<handler, method_count> handlers; ///< as added
    std::array<handler, method_count> chains;   ///< inside the middleware; also 405 and OPTIONS

    std::string allow() const {
        std::string out = "OPTIONS";
        for (std::size_t i = 0; i < method_count; ++i) {
            if (!handlers[i]) continue;
            const auto m = static_cast<method>(i);
            if (m == method::options) continue;
            out.append(", ").append(to_string(m));
            if (m == method::get && !handlers[static_cast<std::size_t>(method::head)]) out += ", HEAD";
        }
        return out;
    }
};

/// One level of the tree: a segment.
struct node {
    std::map<std::string, node, std::less<>> literals;
    std::unique_ptr<node> parameter;
    std::unique_ptr<route> end;
};

struct match {
    const route* found = nullptr;
    std::vector<std::string> values;
};

std::string_view take_segment(std::string_view& path) {
    const auto slash = path.find('/');
    const auto segment = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash);
    return segment;
}

/// Segments of a path that starts with '/'. "/" alone has one, the empty one.
std::vector<std::string_view> split(std::string_view path) {
    std::vector<std::string_view> out;
    while (!path.empty()) {
        path.remove_prefix(1);
        out.push_back(take_segment(path));
    }
    return out;
}

bool find(const node& at, const std::vector<std::string>& segments, std::size_t index, match& out) {
    if (index == segments.size()) {
        out.found = at.end.get();
        return out.found != nullptr;
    }
    const auto& segment = segments[index];
    if (const auto it = at.literals.find(segment); it != at.literals.end())
        if (find(it->second, segments, index + 1, out)) return true;
    if (at.parameter && !segment.empty()) {
        out.values.push_back(segment);
        if (find(*at.parameter, segments, index + 1, out)) return true;
        out.values.pop_back();
    }
    return false;
}

task<response> call_and_catch(const handler& inner, request& r) {
    std::exception_ptr failure;
    try {
        co_return co_await inner(r);
    } catch (...) {
        failure = std::current_exception();
    }
    co_return response_for(failure, r.request_id);
}

task<response> call_layer(const middleware& layer, const handler& next, request& r) {
    std::exception_ptr failure;
    try {
        co_return co_await layer(r, next);
    } catch (...) {
        failure = std::current_exception();
    }
    co_return response_for(failure, r.request_id);
}

/// Around everything: what the layers inside throw becomes an answer, and all of it passes the filters.
task<response> call_filtered(const std::vector<filter>& filters, const handler& inner, request& r) {
    std::size_t passed = 0;
    response out;
    std::exception_ptr failure;
    try {
        std::optional<response> early;
        for (; passed < filters.size(); ++passed)
            if (const auto& before = filters[passed].before; before && (early = before(r))) break;
        if (early)
            out = std::move(*early);
        else
            out = co_await inner(r);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) out = response_for(failure, r.request_id);
    while (passed > 0)
        if (const auto& after = filters[--passed].after) after(r, out);
    co_return out;
}

task<response> answer_problem(problem p, std::string request_id) {
    co_return p.to_response(request_id);
}

task<response> answer_options(std::string allow) {
    auto r = response::empty(204);
    r.headers.add("Allow", allow);
    co_return r;
}

handler not_allowed(const std::string& allow) {
    problem p{405, "method_not_allowed", "This resource answers to " + allow + "."};
    p.with_header("Allow", allow);
    return [p](request& r) { return answer_problem(p, r.request_id); };
}

} // namespace

struct router::impl {
    node root;
    std::vector<route*> routes;
    std::unordered_map<std::string_view, const route*>
        literal_paths; ///< templates without parameters: one look-up
    std::vector<std::shared_ptr<const middleware>> layers;
    std::vector<filter> filters;
    handler not_found = [](request& r) {
        return answer_problem(problem{404, "not_found", "There is nothing at this path."}, r.request_id);
    };
    handler bad_path = [](request& r) {
        return answer_problem(problem{400, "bad_path", "The path is not valid percent-encoded UTF-8."},
                              r.request_id);
    };
    handler any_options = [](request&) {
        return answer_options("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    };
    handler not_found_chain, bad_path_chain, any_options_chain;

    impl() { compose_all(); }

    handler compose(const handler& innermost) const {
        handler chain = innermost;
        if (!layers.empty()) chain = [innermost](request& r) { return call_and_catch(innermost, r); };
        for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer)
            chain = [outer = *layer, next = std::move(chain)](request& r) {
                return call_layer(*outer, next, r);
            };
        return [this, chain = std::move(chain)](request& r) { return call_filtered(filters, chain, r); };
    }

    void compose_all() {
        not_found_chain = compose(not_found);
        bad_path_chain = compose(bad_path);
        any_options_chain = compose(any_options);
        for (auto* r : routes)
            compose_route(*r);
    }

    void compose_route(route& r) const {
        const auto get = static_cast<std::size_t>(method::get);
        for (std::size_t i = 0; i < method_count; ++i) {
            const auto m = static_cast<method>(i);
            if (r.handlers[i])
                r.chains[i] = compose(r.handlers[i]);
            else if (m == method::head && r.handlers[get])
                r.chains[i] = compose(r.handlers[get]); // the server leaves the body out
            else if (m == method::options)
                r.chains[i] = compose([allow = r.allow()](request&) { return answer_options(allow); });
            else
                r.chains[i] = compose(not_allowed(r.allow()));
        }
    }

    route& route_at(std::string_view path_template) {
        const auto fail = [&](const char* why) {
            throw std::invalid_argument("route " + std::string{path_template} + ": " + why);
        };
        if (path_template.empty() || path_template.front() != '/') fail("must start with '/'");
        node* at = &root;
        std::vector<std::string> names;
        for (const auto segment : split(path_template)) {
            if (segment.find_first_of("{}") == std::string_view::npos) {
                at = &at->literals[std::string{segment}];
                continue;
            }
            const auto name = segment.substr(1, segment.size() - 2);
            if (segment.size() < 3 || segment.front() != '{' || segment.back() != '}' ||
                name.find_first_of("{}") != std::string_view::npos)
                fail("a parameter is a whole segment, {name}");
            if (!at->parameter) at->parameter = std::make_unique<node>();
            names.emplace_back(name);
            at = at->parameter.get();
        }
        if (!at->end) {
            at->end = std::make_unique<route>();
            at->end->path_template = path_template;
            at->end->parameter_names = std::move(names);
            routes.push_back(at->end.get());
            if (at->end->parameter_names.empty())
                literal_paths.emplace(at->end->path_template, at->end.get());
        } else if (at->end->path_template != path_template) {
            fail("its parameters have other names elsewhere");
        }
        return *at->end;
    }

    /// The chain that answers `r`; fills its route and path parameters.
    const handler& select(request& r) const {
        const auto method_index = static_cast<std::size_t>(r.method);
        if (const auto it = literal_paths.find(r.path); it != literal_paths.end()) {
            r.route = it->second->path_template;
            return it->second->chains[method_index];
        }
        if (r.path.empty() || r.path.front() != '/')
            return r.path == "*" && r.method == method::options ? any_options_chain : bad_path_chain;
        std::vector<std::string> segments;
        for (const auto raw : split(r.path)) {
            auto decoded = percent_decode(raw); // after splitting: an encoded slash stays inside its segment
            if (!decoded || decoded->find('\0') != std::string::npos || !is_valid_utf8(*decoded))
                return bad_path_chain;
            segments.push_back(std::move(*decoded));
        }
        match m;
        if (!find(root, segments, 0, m)) return not_found_chain;
        r.route = m.found->path_template;
        for (std::size_t i = 0; i < m.values.size(); ++i)
            r.path_params.emplace_back(m.found->parameter_names[i], std::move(m.values[i]));
        return m.found->chains[method_index];
    }
};

router::router() : impl_{std::make_unique<impl>()} {}
router::~router() = default;
router::router(router&&) noexcept = default;
router& router::operator=(router&&) noexcept = default;

router& router::add(method m, std::string_view path_template, handler h) {
    auto& r = impl_->route_at(path_template);
    auto& slot = r.handlers[static_cast<std::size_t>(m)];
    if (slot) throw std::invalid_argument("route " + std::string{path_template} + ": there already");
    slot = std::move(h);
    impl_->compose_route(r);
    return *this;
}

router& router::use(middleware m) {
    impl_->layers.push_back(std::make_shared<const middleware>(std::move(m)));
    impl_->compose_all();
    return *this;
}

router& router::use(filter f) {
    impl_->filters.push_back(std::move(f));
    return *this;
}

task<response> router::handle(request& r) const {
    return impl_->select(r)(r);
}

response response_for(const std::exception_ptr& failure, std::string_view request_id) {
    try {
        std::rethrow_exception(failure);
    } catch (const problem& p) {
        return p.to_response(request_id);
    } catch (...) {
        auto r = problem{500, "internal_error", "Something failed on our side."}.to_response(request_id);
        r.failure = failure;
        return r;
    }
}

} // namespace tiktrend::http
