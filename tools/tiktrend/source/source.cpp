// tiktrend source check|test|enable|disable, and the frame of try and record (page.cpp).
#include "../command.hpp"
#include "../database.hpp"
#include "file.hpp"
#include "page.hpp"

#include <tiktrend/catalog/source_store.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

namespace tiktrend::cli {
namespace {

int check(const std::vector<std::string>& files) {
    int code = exit_ok;
    for (const auto& file : files) {
        if (const auto alias = check_alias(file)) {
            if (!*alias) code = exit_failed;
            continue;
        }
        const auto read = read_source(file);
        if (!read) {
            code = exit_failed;
            continue;
        }
        const auto& d = *read->definition;
        fmt::print("{}: {} version {}, {} inputs, {} tests{}\n", file, d.id, d.version, d.inputs.size(),
                   d.test_count, d.retired ? ", retired since " + d.retired->since : "");
    }
    return code;
}

int test(const std::vector<std::string>& files) {
    int code = exit_ok;
    for (const auto& file : files) {
        const auto read = read_source(file);
        const auto failed = read ? run_tests(*read) : 1;
        if (failed < 0) fmt::print("{}: has no tests\n", file);
        if (failed != 0) code = exit_failed;
    }
    return code;
}

int enable(const std::string& file) {
    const auto read = read_source(file);
    if (!read) return exit_failed;
    const auto failed = run_tests(*read);
    if (failed != 0) {
        fmt::print("{}: not enabled: {}\n", file,
                   failed < 0 ? "a definition needs at least one test" : "its tests do not pass");
        return exit_failed;
    }
    return run(with_router([&](postgres::router& router) -> task<int> {
        const auto& d = *read->definition;
        catalog::source_store store{router};
        catalog::stored_definition stored;
        stored.id = d.id;
        stored.version = d.version;
        stored.text = read->text;
        if (!co_await store.enable(stored)) {
            fmt::print(
                "{}: not enabled: version {} of {} is in the database with another text; raise its version\n",
                file, d.version, d.id);
            co_return exit_failed;
        }
        fmt::print("enabled {} version {}\n", d.id, d.version);
        co_return exit_ok;
    }));
}

int disable(const std::string& id) {
    return run(with_router([&](postgres::router& router) -> task<int> {
        catalog::source_store store{router};
        if (!co_await store.disable(id)) {
            fmt::print("{}: is not enabled in the database\n", id);
            co_return exit_failed;
        }
        fmt::print("disabled {}: workers go back to their own file of it, if they have one\n", id);
        co_return exit_ok;
    }));
}

void add_page_options(CLI::App& verb, page_options& options) {
    verb.add_option("file", options.file, "Definition file")->required();
    verb.add_option("--url", options.url,
                    "Address to ask: the input `url` where there is one, else in place of the "
                    "definition's own");
    verb.add_option("--input", options.inputs, "Input as name=value; may be repeated");
    verb.add_option("--secret", options.secrets, "Secret as name=value; may be repeated");
    verb.add_option("--allow", options.allow,
                    "Address that may be asked although it is not public, like "
                    "127.0.0.1:4000; may be repeated (FETCH_ALLOW)");
    verb.add_option("--plain-http", options.plain_http,
                    "Host that is asked over http instead of https; may be repeated");
    verb.add_option("--contact", options.contact,
                    "URL or mail address for the request's User-Agent, where the shop can reach you")
        ->envname("CONTACT");
}

} // namespace

void add_source(CLI::App& root, action& chosen) {
    auto* group = root.add_subcommand("source", "Write and try source definitions (docs/adding-a-source.md)");
    group->require_subcommand(1);

    auto files = std::make_shared<std::vector<std::string>>();
    auto* check_verb =
        group->add_subcommand("check", "Say every mistake of definition files, with line and field");
    check_verb->add_option("files", *files, "Definition files")->required();
    check_verb->callback([&chosen, files] { chosen = [files] { return check(*files); }; });

    auto* test_verb =
        group->add_subcommand("test", "Run the tests in definition files on their recorded answers");
    test_verb->add_option("files", *files, "Definition files")->required();
    test_verb->callback([&chosen, files] { chosen = [files] { return test(*files); }; });

    auto options = std::make_shared<page_options>();
    auto* try_verb =
        group->add_subcommand("try", "Read one page and show what each field got and from where; "
                                     "nothing is stored");
    add_page_options(*try_verb, *options);
    try_verb->add_option("--response", options->response, "File with a recorded body, in place of asking");
    try_verb->add_option("--content-type", options->content_type, "Content-Type of --response");
    try_verb->callback([&chosen, options] { chosen = [options] { return try_page(*options); }; });

    auto* record_verb =
        group->add_subcommand("record", "Ask for one page, keep its body as a fixture and print a "
                                        "test for it");
    add_page_options(*record_verb, *options);
    record_verb->add_option("--name", options->name, "File name of the fixture")->required();
    record_verb->callback([&chosen, options] { chosen = [options] { return record_page(*options); }; });

    auto file = std::make_shared<std::string>();
    auto* enable_verb =
        group->add_subcommand("enable", "Put a definition whose tests pass to use for all workers "
                                        "(DATABASE_URL)");
    enable_verb->add_option("file", *file, "Definition file")->required();
    enable_verb->callback([&chosen, file] { chosen = [file] { return enable(*file); }; });

    auto id = std::make_shared<std::string>();
    auto* disable_verb = group->add_subcommand(
        "disable", "Take a definition out of use; its versions stay in the database (DATABASE_URL)");
    disable_verb->add_option("id", *id, "Its id, like tea.shop")->required();
    disable_verb->callback([&chosen, id] { chosen = [id] { return disable(*id); }; });
}

} // namespace tiktrend::cli
