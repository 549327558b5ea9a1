// Copyright 2026 The manyfit authors
// SPDX-License-Identifier: Apache-2.0
#include "grid.hpp"

#include <algorithm>
#include <cstdlib>

#include "chance.hpp"
#include "report.hpp"

namespace simulated {

namespace {

class grid;
grid* running = nullptr;
lane* current = nullptr;

/// Where lanes release what they wrote when they fence or end, and the launch acquires it.
char fence_sync, launch_sync;

constexpr unsigned char poison = 0xfb;  // a large negative number, as double, float and integer
constexpr unsigned char canary = 0xc5;  // behind a block's shared memory
constexpr std::size_t canary_bytes = 64;

std::uint32_t bit_of(int index) {
  return std::uint32_t{1} << index;
}

class grid {
 public:
  grid(const grid_shape& shape, const std::string& kernel, const std::function<void()>& body)
      : shape_(shape), kernel_(kernel), body_(body) {
    main_.adopt();
    const auto most = static_cast<std::size_t>(std::min(shape.at_once, shape.blocks));
    ended_.reserve(most);  // lanes add to these, and must not allocate
    ready_.reserve(most * static_cast<std::size_t>((shape.threads + warp_lanes - 1) / warp_lanes));
  }

  void run() {
    while (next_ < shape_.blocks && static_cast<int>(blocks_.size()) < shape_.at_once) admit();
    while (!blocks_.empty()) {
      if (ready_.empty()) fail("deadlock");
      warp& w = take_ready();
      lane& first = pick(w);
      current = &first;
      fiber::go(main_, first.thread);
      current = nullptr;
      if (w.runnable) make_ready(w);
      retire();
    }
  }

  void body_of_lane() {
    order_acquire(&launch_sync);
    body_();
    order_release(&launch_sync);
    lane& me = *current;
    warp& w = *me.of;
    block& b = *w.of;
    w.runnable &= ~bit_of(me.index);
    w.ended |= bit_of(me.index);
    ++b.ended;
    idle_sleeps_ = 0;
    if (b.arrived > 0) fail("a lane has ended while others of its block wait at its barrier");
    if (b.ended == b.threads) ended_.push_back(&b);
    leave(me, true);
  }

  std::uint64_t collective(const collective_call& call) {
    lane& me = *current;
    warp& w = *me.of;
    me.at = call;
    const std::uint32_t mine = bit_of(me.index);
    if (!(call.mask & mine)) fail("a lane is at a collective whose mask does not name it");
    if (call.mask & w.ended) fail("a collective's mask names a lane that has ended");
    w.at_collective |= mine;
    auto& part = w.parts[__builtin_ctz(call.mask)];
    const int turn = part.generation & 1;
    if (call.kind == collective_kind::sync) order_release(&part.sync[turn]);
    if ((w.at_collective & call.mask) == call.mask) {
      complete(w, me);
      if (chance::one_in(4)) leave(me);
    } else {
      w.runnable &= ~mine;
      leave(me);
    }
    if (call.kind == collective_kind::sync) order_acquire(&part.sync[turn]);
    return me.result;
  }

  void barrier() {
    lane& me = *current;
    warp& w = *me.of;
    block& b = *w.of;
    if (b.ended > 0) fail("a lane is at its block's barrier, which others will never reach: they have ended");
    const int turn = b.generation & 1;
    order_release(&b.sync[turn]);
    w.runnable &= ~bit_of(me.index);
    w.at_barrier |= bit_of(me.index);
    if (++b.arrived == b.threads) {
      b.arrived = 0;
      ++b.generation;
      idle_sleeps_ = 0;
      for (auto& other : b.warps) {
        other->runnable |= other->at_barrier;
        other->at_barrier = 0;
        if (other.get() != &w) make_ready(*other);
      }
      if (chance::one_in(2)) leave(me);
    } else {
      leave(me);
    }
    order_acquire(&b.sync[turn]);
  }

  /// The lane's warp goes to the end of the queue, so to say. Lanes that sleep again and again while nothing else
  /// happens wait for what will not come.
  void sleep() {
    lane& me = *current;
    if (++idle_sleeps_ > 2000 * (static_cast<std::int64_t>(ready_.size()) + 1)) {
      me.of->sleeping |= bit_of(me.index);
      fail("deadlock: lanes wait for memory that nobody writes");
    }
    me.of->sleeping |= bit_of(me.index);
    shuffle(*me.of);
    to_main(me);
    me.of->sleeping &= ~bit_of(me.index);
  }

  void progress() { idle_sleeps_ = 0; }

  [[noreturn]] void fail(const char* why) const { die_with_lanes(why, kernel_, blocks_, current); }

 private:
  void admit() {
    auto b = std::make_unique<block>();
    b->number = next_++;
    b->threads = shape_.threads;
    void* memory = nullptr;
    if (posix_memalign(&memory, 128, shape_.shared + canary_bytes) != 0) die("no memory for a block's shared memory");
    b->shared = static_cast<char*>(memory);
    std::fill_n(b->shared, shape_.shared, static_cast<char>(poison));
    std::fill_n(b->shared + shape_.shared, canary_bytes, static_cast<char>(canary));
    forbid(b->shared + shape_.shared, canary_bytes);
    const int warps = (shape_.threads + warp_lanes - 1) / warp_lanes;
    for (int k = 0; k < warps; ++k) {
      auto w = std::make_unique<warp>();
      w->of = b.get();
      w->number = k;
      w->rank = chance::draw();
      shuffle(*w);
      for (int i = 0; i < warp_lanes; ++i) {
        lane& l = w->lanes[i];
        l.of = w.get();
        l.index = i;
        if (k * warp_lanes + i >= shape_.threads) {
          w->ended |= bit_of(i);
          continue;
        }
        w->runnable |= bit_of(i);
        l.where = {{static_cast<unsigned>(k * warp_lanes + i), 0, 0},
                   {static_cast<unsigned>(b->number), 0, 0},
                   {static_cast<unsigned>(shape_.threads), 1, 1},
                   {static_cast<unsigned>(shape_.blocks), 1, 1}};
        l.thread.prepare([] {
          fiber::begin();
          body_of_current_lane();
        });
      }
      make_ready(*w);
      b->warps.push_back(std::move(w));
    }
    blocks_.push_back(std::move(b));
  }

  static void body_of_current_lane();

  /// Frees the blocks that have ended, and lets others take their place.
  void retire() {
    if (!ended_.empty()) order_acquire(&launch_sync);
    for (block* const b : ended_) {
      permit(b->shared + shape_.shared, canary_bytes);
      for (std::size_t i = 0; i < canary_bytes; ++i)
        if (static_cast<unsigned char>(b->shared[shape_.shared + i]) != canary)
          die("kernel " + kernel_ + ": block " + std::to_string(b->number) + " wrote past its " +
              std::to_string(shape_.shared) + " bytes of shared memory");
      std::free(b->shared);
      std::erase_if(blocks_, [&](const auto& other) { return other.get() == b; });
      if (next_ < shape_.blocks) admit();
    }
    ended_.clear();
  }

  void make_ready(warp& w) {
    if (w.is_ready) return;
    w.is_ready = true;
    ready_.push_back(&w);
  }

  /// One of the warps that may run: the higher in rank of two, so that some lag far behind. Ranks change now and then.
  warp& take_ready() {
    std::size_t at = chance::below(ready_.size());
    const std::size_t other = chance::below(ready_.size());
    if (ready_[other]->rank > ready_[at]->rank && !chance::one_in(4)) at = other;
    warp& w = *ready_[at];
    ready_[at] = ready_.back();
    ready_.pop_back();
    w.is_ready = false;
    if (chance::one_in(64)) w.rank = chance::draw();
    return w;
  }

  /// Another order of a warp's lanes.
  static void shuffle(warp& w) {
    const unsigned bits = chance::draw();
    w.first = static_cast<int>(bits % warp_lanes);
    w.backward = (bits & 32) != 0;
  }

  static lane& pick(warp& w) {
    const std::uint32_t turned =
        w.first == 0 ? w.runnable : w.runnable >> w.first | w.runnable << (warp_lanes - w.first);
    const int at = w.backward ? 31 - __builtin_clz(turned) : __builtin_ctz(turned);
    return w.lanes[(at + w.first) % warp_lanes];
  }

  /// Another lane of the warp goes on where there is one that may, sometimes another warp instead.
  void leave(lane& me, bool ends = false) {
    warp& w = *me.of;
    if (w.runnable == 0 || chance::one_in(64)) return to_main(me, ends);
    lane& other = pick(w);
    if (&other == &me) return;
    current = &other;
    fiber::go(me.thread, other.thread, ends);
  }

  void to_main(lane& me, bool ends = false) { fiber::go(me.thread, main_, ends); }

  /// Every lane that the mask names has arrived: results for all of them.
  void complete(warp& w, const lane& last) {
    const collective_call& call = last.at;
    std::uint64_t set = 0, all = 1;
    for (int i = 0; i < warp_lanes; ++i) {
      if (!(call.mask & bit_of(i))) continue;
      const collective_call& other = w.lanes[i].at;
      const bool same_argument = call.kind == collective_kind::shuffle || other.argument == call.argument;
      if (other.kind != call.kind || other.mask != call.mask || other.bytes != call.bytes || !same_argument)
        fail("lanes of a warp are at different collectives");
      if (other.value != 0) set |= bit_of(i);
      all &= other.value != 0;
    }
    for (int i = 0; i < warp_lanes; ++i)
      if (call.mask & bit_of(i)) w.lanes[i].result = result_of(w, i, set, all);
    w.at_collective &= ~call.mask;
    w.runnable |= call.mask;
    ++w.parts[__builtin_ctz(call.mask)].generation;
    idle_sleeps_ = 0;
    shuffle(w);
  }

  std::uint64_t result_of(const warp& w, int i, std::uint64_t set, std::uint64_t all) const {
    const collective_call& own = w.lanes[i].at;
    int from = i;
    switch (own.kind) {
      case collective_kind::any:
        return set != 0;
      case collective_kind::all:
        return all;
      case collective_kind::ballot:
        return set;
      case collective_kind::shuffle_xor:
        from = i ^ own.argument;
        break;
      case collective_kind::shuffle:
        from = own.argument;
        break;
      case collective_kind::shuffle_down:
        from = i + own.argument < warp_lanes ? i + own.argument : i;
        break;
      case collective_kind::shuffle_up:
        from = i - own.argument >= 0 ? i - own.argument : i;
        break;
      default:
        return 0;
    }
    if (from < 0 || from >= warp_lanes || !(own.mask & bit_of(from)))
      fail("a lane reads the value of a lane that the mask does not name");
    return w.lanes[from].at.value;
  }

  const grid_shape shape_;
  const std::string& kernel_;
  const std::function<void()>& body_;
  fiber main_;
  int next_ = 0;
  std::vector<std::unique_ptr<block>> blocks_;
  std::vector<block*> ended_;
  std::vector<warp*> ready_;
  std::int64_t idle_sleeps_ = 0;
};

void grid::body_of_current_lane() {
  running->body_of_lane();
}

lane& caller(const char* what) {
  if (!current) die(std::string(what) + " was called outside a kernel");
  return *current;
}

}  // namespace

void run_grid(const grid_shape& shape, const std::string& kernel, const std::function<void()>& body) {
  grid g(shape, kernel, body);
  running = &g;
  order_release(&launch_sync);
  g.run();
  order_acquire(&launch_sync);
  running = nullptr;
}

bool in_a_kernel() {
  return current != nullptr;
}

const place& where() {
  return caller("a built-in variable").where;
}
void* dynamic_shared() {
  return caller("shared memory").of->of->shared;
}
std::uint64_t collective(const collective_call& call) {
  caller("a collective");
  return running->collective(call);
}
void block_barrier() {
  caller("__syncthreads");
  running->barrier();
}
void sleep() {
  caller("__nanosleep");
  running->sleep();
}
void fence() {
  lane& me = caller("__threadfence");
  order_acquire(&fence_sync);
  me.fenced = true;
}
bool atomic_releases() {
  lane& me = caller("an atomic operation");
  running->progress();
  const bool releases = me.fenced;
  me.fenced = false;
  return releases;
}

}  // namespace simulated
