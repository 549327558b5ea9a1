// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The program's ends: signals, limits, files that change, descriptors that are closed or full. The exit code says what
// happened, and nothing is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>

#include "child_process.hpp"
#include "cli_support.hpp"
#include "input/file_bytes.hpp"
#include "input/input_error.hpp"

namespace manyfit::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Draws for so long that a signal always comes first.
std::vector<std::string> endless(const std::string& out) {
  return {"simulate", "gamma",  "--parameters", "shape=2,rate=1", "--size",
          "1000",     "--fits", "1000000000",   "--out",          out};
}

TEST(signal, of_every_kind_that_ends_a_program_leaves_no_file_and_gives_its_number) {
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ, SIGXCPU, SIGALRM, SIGUSR1, SIGUSR2, SIGVTALRM,
                           SIGPROF, SIGABRT, SIGSEGV, SIGBUS}) {
    SCOPED_TRACE(signal);
    const folder place;
    const auto no_core = [] {
      const rlimit none{0, 0};
      ::setrlimit(RLIMIT_CORE, &none);
    };
    child_process program(endless(place.path("draws.csv")), no_core);
    ASSERT_TRUE(program.wait_until([&] { return !place.names().empty(); }));
    EXPECT_FALSE(program.ended());
    ::kill(program.id(), signal);
    const bool fault = signal == SIGABRT || signal == SIGSEGV || signal == SIGBUS;  // ends as the system has it
    EXPECT_EQ(program.code(), fault ? 1000 + signal : 128 + signal);
    EXPECT_THAT(place.names(), ElementsAre());
  }
}

TEST(signal, that_the_caller_ignores_stays_ignored) {
  const folder place;
  child_process program(endless(place.path("draws.csv")), [] { ::signal(SIGHUP, SIG_IGN); });
  ASSERT_TRUE(program.wait_until([&] { return !place.names().empty(); }));
  ::kill(program.id(), SIGHUP);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(program.ended());
  ::kill(program.id(), SIGTERM);
  EXPECT_EQ(program.code(), 143);
}

TEST(file_size_limit, ends_the_program_with_a_message_and_without_a_file) {
  const folder place;
  child_process program(endless(place.path("draws.csv")), [&] {
    redirect(STDERR_FILENO, place.path("err"));
    const rlimit small{1 << 16, 1 << 16};
    ::setrlimit(RLIMIT_FSIZE, &small);
  });
  EXPECT_EQ(program.code(), 128 + SIGXFSZ);
  EXPECT_THAT(place.read("err"), HasSubstr("larger than a file may be"));
  EXPECT_THAT(place.names(), ElementsAre("err"));
}

/// A .npy array of doubles, 0 to 96 over and over.
std::string numbers_of(const folder& place, std::size_t rows, std::size_t columns) {
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " +
                       std::to_string(columns) + "), }";
  header.resize(117, ' ');
  header += '\n';
  std::string bytes("\x93NUMPY\x01\x00\x76\x00", 10);
  bytes += header;
  for (std::size_t i = 0; i < rows * columns; ++i) {
    const double number = static_cast<double>(i % 97);
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  return place.file("numbers.npy", bytes);
}

TEST(input, that_is_cut_while_it_is_read_is_an_error_of_the_input) {
  const folder place;
  const std::string input = numbers_of(place, 200000, 2);
  child_process program({"mixture", "gaussian", input, "--components", "8", "--tolerance", "0", "--max-iterations",
                         "1000000", "--restarts", "1", "--out", place.path("fits.json")},
                        [&] { redirect(STDERR_FILENO, place.path("err")); });
  const auto maps_it = [&] {
    std::ifstream maps("/proc/" + std::to_string(program.id()) + "/maps");
    return std::string(std::istreambuf_iterator<char>(maps), {}).find("numbers.npy") != std::string::npos;
  };
  ASSERT_TRUE(program.wait_until(maps_it));
  std::filesystem::resize_file(input, 4096);
  EXPECT_EQ(program.code(), 3);
  EXPECT_THAT(place.read("err"), HasSubstr("numbers.npy: became shorter while it was read"));
  EXPECT_FALSE(std::filesystem::exists(place.path("fits.json")));
  EXPECT_EQ(place.names().size(), 2u);
}

TEST(input, that_loses_less_than_a_page_is_found_before_anything_is_made_of_it) {
  const folder place;
  const std::string path = place.file("x.csv", "x\n1\n2\n3\n4\n");
  const app::file_bytes file(path);
  file.check_whole();
  app::check_mapped_files();
  std::filesystem::resize_file(path, 5);
  EXPECT_EQ(file.view()[8], '\0');  // what a page's end reads as
  EXPECT_THROW(file.check_whole(), app::input_error);
  EXPECT_THROW(app::check_mapped_files(), app::input_error);
  EXPECT_STREQ(app::cut_file_at(file.view().data() + 9), path.c_str());
  EXPECT_EQ(app::cut_file_at(file.view().data() + 100000), nullptr);
}

/// What may be wrong with a descriptor.
const std::map<std::string, std::function<void(int)>> faults = {
    {"closed", [](int descriptor) { ::close(descriptor); }},
    {"full", [](int descriptor) { redirect(descriptor, "/dev/full", O_WRONLY); }},
    {"broken pipe",
     [](int descriptor) {
       int ends[2];
       if (::pipe(ends) != 0) ::_exit(126);
       ::close(ends[0]);
       ::dup2(ends[1], descriptor);
       ::close(ends[1]);
     }},
};

TEST(stderr_that_cannot_be_written, changes_no_exit_code_and_no_output) {
  const folder place;
  const std::string csv = place.file("x.csv", "k,x\na,1\na,2\na,5\nb,1\nb,1\n");
  const std::string counts = place.file("n.csv", "n\n0\n3\n1\n0\n2\n9\n8\n7\n0\n");
  const std::string bad = place.file("bad.csv", "k,x\na,1,2,3\n"), model = place.path("model.json");
  ASSERT_EQ(run({"fit", "gamma", csv, "--column", "x", "--by", "k", "--format", "json", "--out", model}).code, 0);
  const std::vector<std::vector<std::string>> commands = {
      {"fit", "gamma", csv, "--column", "x", "--by", "k"},
      {"fit", "gamma", csv, "--column", "x", "--by", "k", "--fail-on", "any"},
      {"mixture", "gaussian", csv, "--column", "x", "--components", "1"},
      {"mixture", "poisson", counts, "--components", "2", "--restarts", "3"},
      {"score", model, csv, "--column", "x"},
      {"simulate", "gamma", "--parameters", "shape=2,rate=1", "--size", "5"},
      {"fit", "gamma", bad, "--column", "x"},
      {"fit", "gama", csv},
      {"no such command"},
      {},
      {"--help"},
  };
  for (const auto& command : commands) {
    SCOPED_TRACE(testing::PrintToString(command));
    const run_result whole = run(command);
    ASSERT_LE(whole.code, 4);
    for (const auto& [name, fault] : faults) {
      SCOPED_TRACE(name);
      child_process program(command, [&] {
        redirect(STDOUT_FILENO, place.path("out"));
        fault(STDERR_FILENO);
      });
      EXPECT_EQ(program.code(), whole.code);
      EXPECT_EQ(place.read("out"), whole.out);
    }
  }
}

TEST(stdout_that_cannot_be_written, is_an_error_of_output_unless_its_reader_has_gone) {
  const folder place;
  const std::string csv = place.file("x.csv", "x\n1\n2\n5\n");
  for (const auto& [name, fault] : faults) {
    SCOPED_TRACE(name);
    child_process program({"fit", "gamma", csv}, [&] {
      redirect(STDERR_FILENO, place.path("err"));
      fault(STDOUT_FILENO);
    });
    EXPECT_EQ(program.code(), name == "broken pipe" ? 0 : 3);
    EXPECT_EQ(place.read("err").find("cannot write stdout") != std::string::npos, name != "broken pipe");
  }
}

TEST(closed_descriptors, are_not_taken_by_files_that_are_written) {
  const folder place;
  const std::string csv = place.file("x.csv", "x\n1\n2\n5\n");
  const std::string right = run({"fit", "gamma", csv, "--format", "csv"}).out;
  child_process program({"fit", "gamma", csv, "--out", place.path("fits.csv"), "--plot", place.path("fits.svg")}, [] {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(descriptor);
  });
  EXPECT_EQ(program.code(), 0);
  EXPECT_EQ(place.read("fits.csv"), right);
  EXPECT_THAT(place.read("fits.svg"), testing::StartsWith("<?xml"));
  EXPECT_EQ(place.names().size(), 3u);
}

TEST(plot, is_whole_or_not_there) {
  const folder place;
  const std::string csv = place.file("x.csv", "x\n1\n2\n5\n"), picture = place.file("fits.svg", "before");
  const auto limited = [] {
    const rlimit small{64, 64};
    ::setrlimit(RLIMIT_FSIZE, &small);
    ::signal(SIGXFSZ, SIG_IGN);
  };
  child_process program({"fit", "gamma", csv, "--plot", picture}, limited);
  EXPECT_EQ(program.code(), 3);
  EXPECT_EQ(place.read("fits.svg"), "before");
  EXPECT_EQ(place.names().size(), 2u);
}

TEST(threads, that_cannot_be_started_are_said_so_with_5) {
  const folder place;
  std::string csv = "k,x\n";
  for (int i = 0; i < 5000; ++i) csv += std::to_string(i / 5) + "," + std::to_string(1 + i % 7) + "\n";
  const std::string input = place.file("x.csv", csv);
  const run_result absurd = run({"fit", "gamma", input, "--by", "k", "--column", "x", "--threads", "65536"});
  EXPECT_EQ(absurd.code, 5);
  EXPECT_THAT(absurd.err, HasSubstr("65536 given"));
  EXPECT_EQ(lines_in(absurd.err), 1);
#if !defined(MF_PROGRAM_IS_SANITIZED)
  child_process program(
      {"fit", "gamma", input, "--by", "k", "--column", "x", "--threads", "1000", "--out", place.path("fits.csv")}, [&] {
        redirect(STDERR_FILENO, place.path("err"));
        const rlimit small{rlim_t{1} << 30, rlim_t{1} << 30};
        ::setrlimit(RLIMIT_AS, &small);
      });
  EXPECT_EQ(program.code(), 5);
  EXPECT_THAT(place.read("err"), HasSubstr("cannot be started"));
  EXPECT_EQ(lines_in(place.read("err")), 1);
  EXPECT_FALSE(std::filesystem::exists(place.path("fits.csv")));
#endif
}

}  // namespace
}  // namespace manyfit::test
