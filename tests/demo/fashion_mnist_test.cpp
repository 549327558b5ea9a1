// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "apps/fashion_mnist/evaluation.hpp"
#include "apps/fashion_mnist/picture.hpp"
#include "apps/fashion_mnist/report.hpp"
#include "apps/plot/ticks.hpp"

namespace manyfit::app {
namespace {

const std::string folder = "/usr/share/datasets/fashion-mnist";

std::int64_t all_statuses(const fit_results& results) {
  std::int64_t sum = 0;
  for (int i = 0; i < fit_status_count; ++i) sum += results.count_of(static_cast<fit_status>(i));
  return sum;
}

TEST(fashion_mnist, fits_7840_samples_that_classify_unseen_images) {
  if (!std::filesystem::exists(folder + "/train-images-idx3-ubyte.gz"))
    GTEST_SKIP() << "the data set is not installed; it is Debian's package dataset-fashion-mnist";
  const executor where = executor::best();
  const labelled_images training = read_labelled_images(folder, "train", class_count);
  const labelled_images test = read_labelled_images(folder, "t10k", class_count);
  const pixel_samples samples = gather_samples(training, 0, 6000);
  const timed_fit ink = fit_timed(where, find_family("bernoulli"), samples.ink_batch());
  const timed_fit intensity = fit_timed(where, find_family("beta"), samples.intensity_batch());
  for (const timed_fit* timed : {&ink, &intensity}) {
    EXPECT_EQ(timed->results.count, 7840);
    EXPECT_EQ(all_statuses(timed->results), 7840);
  }
  EXPECT_EQ(ink.values, 47040000);
  EXPECT_EQ(intensity.values, 23423502);
  // Pixels never inked have no intensities, so no density; all others do, but for the rarest.
  EXPECT_EQ(ink.results.count_of(fit_status::converged) + ink.results.count_of(fit_status::boundary), 7840);
  EXPECT_TRUE(intensity.results.count_of(fit_status::too_few) >= ink.results.count_of(fit_status::boundary));
  EXPECT_TRUE(intensity.results.count_of(fit_status::converged) >= 7600);

  const score_table of_ink = ink_scores(ink.results);
  const score_table both = intensity_scores(of_ink, intensity.results, intensity_log_density(where, intensity.results));
  const evaluation ink_alone = evaluate(of_ink, test), result = evaluate(both, test);
  EXPECT_EQ(result.images, 10000);
  EXPECT_TRUE(ink_alone.accuracy() > 0.70 && ink_alone.accuracy() < 0.712) << ink_alone.accuracy();
  EXPECT_TRUE(result.accuracy() > 0.74 && result.accuracy() < 0.75) << result.accuracy();

  const std::string path = (std::filesystem::path(testing::TempDir()) / "manyfit_fashion_mnist.svg").string();
  draw_picture({&training, &samples, &both, &ink.results, &intensity.results, &where, "subtitle"}, path);
  std::ifstream file(path);
  const std::string svg{std::istreambuf_iterator<char>(file), {}};
  std::filesystem::remove(path);
  EXPECT_NE(svg.find("<title>Fashion-MNIST"), std::string::npos);
  EXPECT_NE(svg.find("h  Ankle boot, shaft"), std::string::npos);
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

int exit_code(const std::string& arguments) {
  const int status = std::system((std::string("'") + MF_DEMO_PROGRAM + "' " + arguments + " >/dev/null 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(fashion_mnist, exit_codes_tell_usage_from_missing_data) {
  EXPECT_EQ(exit_code("--help"), 0);
  EXPECT_EQ(exit_code("--device gpu"), 2);
  EXPECT_EQ(exit_code("--threads -1"), 2);
  EXPECT_EQ(exit_code("--device cpu --data '/no such folder'"), 3);
}

TEST(report, groups_digits_and_counts_every_fit) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(7840), "7,840");
  EXPECT_EQ(grouped(47040000), "47,040,000");
  EXPECT_EQ(in_millions(3.456e6), "3.46 million");
  EXPECT_EQ(in_millions(99e6), "99 million");
  EXPECT_EQ(in_millions(12345), "12,345");
}

}  // namespace
}  // namespace manyfit::app
