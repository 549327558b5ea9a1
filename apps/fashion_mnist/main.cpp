// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
//
// The demonstration: 7,840 distributions fitted at a time to Fashion-MNIST, one per class and pixel, then put to use.
// Exit codes as of the command line: 0 done, 1 internal, 2 usage, 3 input, 5 device or out of memory.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <new>

#include "apps/fashion_mnist/evaluation.hpp"
#include "apps/fashion_mnist/picture.hpp"
#include "apps/fashion_mnist/report.hpp"
#include "apps/manyfit/command.hpp"
#include "apps/manyfit/failures.hpp"
#include "apps/manyfit/options.hpp"
#include "apps/plot/ticks.hpp"
#include "apps/support/messages.hpp"

namespace manyfit::app {
namespace {

struct demo_options {
  std::string device = "auto";
  int threads = 0;
  std::string data = "/usr/share/datasets/fashion-mnist";
  std::string out = "demo-output";
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

void run(const demo_options& options) {
  const auto start = std::chrono::steady_clock::now();
  const executor where = executor_of({.device = options.device, .threads = options.threads});
  auto reading =
      std::async(std::launch::async, [&] { return read_labelled_images(options.data, "t10k", class_count); });
  const labelled_images training = read_labelled_images(options.data, "train", class_count);
  const labelled_images test = reading.get();
  const pixel_samples samples = gather_samples(training, 0, images_of_rarest_class(training));
  print(fmt::format(
      "Fashion-MNIST: {} training and {} test images of {} × {} pixels, read and sorted into samples in {:.2f} s\n"
      "Running on {}\n\n",
      grouped(training.count), grouped(test.count), training.rows, training.columns, seconds_since(start),
      where.is_cuda() ? where.name() : fmt::format("cpu, {} threads", where.threads())));

  const std::vector<candidate> candidates =
      compare_families(where, training, {"beta", "gamma", "weibull", "lognormal", "normal"});
  const candidate& best = *std::max_element(candidates.begin(), candidates.end(),
                                            [](const auto& a, const auto& b) { return a.log_density < b.log_density; });
  print("Which family suits the intensities? Fitted to 5/6 of the training images, scored on the rest\n" +
        candidate_table(candidates, best.family) + "\n");

  const timed_fit ink = fit_timed(where, find_family("bernoulli"), samples.ink_batch());
  const timed_fit intensity = fit_timed(where, find_family(best.family), samples.intensity_batch());
  print(speed_table(ink, intensity) + "\n" + status_table(ink.results, intensity.results) + "\n");

  const score_table of_ink = ink_scores(ink.results);
  const score_table of_both =
      intensity_scores(of_ink, intensity.results, intensity_log_density(where, intensity.results));
  const evaluation ink_alone = evaluate(of_ink, test), both = evaluate(of_both, test);
  print(fmt::format("Naive Bayes over the fits, on the {} test images\n"
                    "  ink alone            {:.2f} % right\n"
                    "  ink and intensity    {:.2f} % right\n\n",
                    grouped(both.images), 100 * ink_alone.accuracy(), 100 * both.accuracy()) +
        confusion_table(both) + "\n");

  std::filesystem::create_directories(options.out);
  const picture_content content{
      &training,
      &samples,
      &of_both,
      &ink.results,
      &intensity.results,
      &where,
      fmt::format("Every pixel of every class has its own probability of ink and its own density of "
                  "intensity. Naive Bayes over them names {:.1f} % of {} unseen images (ink alone: "
                  "{:.1f} %).",
                  100 * both.accuracy(), grouped(both.images), 100 * ink_alone.accuracy())};
  for (const char* name : {"fashion_mnist.png", "fashion_mnist.svg"}) {
    const std::string path = (std::filesystem::path(options.out) / name).string();
    draw_picture(content, path);
    print("Picture: " + path + "\n");
  }
  print(fmt::format("Done in {:.1f} s\n", seconds_since(start)));
}

}  // namespace
}  // namespace manyfit::app

int main(int argc, char** argv) {
  using namespace manyfit;
  app::demo_options options;
  const app::command demo{
      .name = "fashion_mnist",
      .help =
          "Fits one distribution per class and pixel of Fashion-MNIST, classifies the test images by them and draws "
          "the fits.",
      .options = {{"--device", &options.device, "auto, cpu, cuda or cuda:N (default auto)", "DEVICE"},
                  {.name = "--threads",
                   .to = &options.threads,
                   .help = "CPU threads (default: one per core)",
                   .value = "N",
                   .most = 4096},
                  {"--data", &options.data, "Folder with the four IDX files (default " + options.data + ")", "PATH"},
                  {"--out", &options.out, "Folder for the picture (default " + options.out + ")", "PATH"}},
      .footer = "Example:\n  fashion_mnist --device cpu --threads 2 --out demo-output",
      .run = [&options] { return app::run(options), 0; }};
  const auto fail = [](const std::string& message, int code) {
    app::tell("fashion_mnist: {}\n", message);
    return code;
  };
  try {
    return app::run_command_line(demo, argc, argv);
  } catch (const app::usage_error& e) {
    return fail(e.what(), app::exit_usage);
  } catch (const app::broken_pipe&) {
    return 0;
  } catch (const app::data_error& e) {
    return fail(e.what(), 3);
  } catch (const error& e) {
    return fail(e.what(), e.why() == error::kind::argument ? 2 : 5);
  } catch (const std::filesystem::filesystem_error& e) {
    return fail(fmt::format("--out '{}' cannot be made: {}", options.out, e.code().message()), 2);
  } catch (const std::bad_alloc&) {
    return fail("out of memory: about 1 GiB is needed", 5);
  } catch (const std::exception& e) {
    return fail(fmt::format("internal error: {}", e.what()), 1);
  }
}
