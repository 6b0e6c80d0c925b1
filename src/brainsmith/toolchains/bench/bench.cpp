// Drives every stream of every unit from files, checks the wire contract, and records what came
// out and when. Knows nothing of the units: `plan.txt` describes their streams.
//
// plan.txt, whitespace-separated:
//   stall(0|1) seed timeout drain wave(name or -) units sources sinks monitors
//   per source: unit words beats beats_per_frame      data in in<index>.bin
//   per sink:   unit words beats beats_per_frame      data to out<index>.bin
//   per monitor: unit
// In cycles.bin: first and last cycle of each frame, of each source, then of each sink (int64).
// In result.txt: `ok`, `hang`, `violation` or `finish`, with details (see the functions below).
#include "dut.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace {

using Words = std::vector<uint32_t>;

struct Random {
    uint64_t state;
    explicit Random(uint64_t seed) : state(seed * 0x9e3779b97f4a7c15ull + 0x2545f4914f6cdd1dull) {}
    uint32_t next() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return static_cast<uint32_t>(state >> 24);
    }
};

// Random stalls in spells: never, seldom, often, nearly always, and (`patient`) until the other
// side has moved first.
struct Throttle {
    Random random;
    uint32_t threshold = 0;
    uint32_t left = 0;
    bool patient = false;
    explicit Throttle(uint64_t seed) : random(seed) {}
    // `waiting`: the other side has not moved yet, so that a patient spell goes on.
    bool stalls(bool waiting) {
        if (patient && waiting) return true;
        if (left == 0) {
            static const uint32_t thresholds[] = {0, 32, 128, 224, 252};
            const uint32_t pick = random.next();
            threshold = thresholds[pick % 5];
            patient = (pick >> 8) % 4 == 0;
            left = 8 + (pick >> 16) % 56;
        }
        --left;
        return (random.next() & 255) < threshold;
    }
};

struct Stream {
    size_t unit, words, beats, beats_per_frame, offset = 0, done = 0;
    Words beat;            // source: the one that is offered
    std::ifstream input;   // source: what is still to come; long runs never lie in memory
    std::ofstream output;  // sink: what has come
    std::vector<int64_t> cycles;
    uint64_t stalled = 0;
    Throttle throttle{0};
    bool offering = false;  // source: valid is up. sink: valid was up and not taken.
    Words held;             // sink: the data that waits
    void count(int64_t cycle) {
        const size_t frame = done / beats_per_frame;
        if (done % beats_per_frame == 0) cycles[2 * frame] = cycle;
        if (++done % beats_per_frame == 0) cycles[2 * frame + 1] = cycle;
    }
};

struct Watch {
    size_t unit;
    uint64_t beats = 0, stalled = 0, starved = 0;
};

struct UnitState {
    size_t open_streams = 0;  // not yet through with their beats
    size_t filling = 0;       // sinks that have not finished their first frame
    int64_t last_move = 0;
};

class Bench {
  public:
    int run();

  private:
    void read_plan();
    void read_streams(std::ifstream& plan, std::vector<Stream>& streams, size_t count);
    void open_data();
    void reset();
    void drive(Stream& source, size_t index);
    void choose_ready(Stream& sink, size_t index);
    void settle();
    void sample_source(Stream& source, size_t index);
    void sample_sink(Stream& sink, size_t index);
    void sample_monitor(Watch& watch, size_t index);
    void move(Stream& stream);
    bool step();
    bool hangs() const;
    bool all_done() const;
    void violation(const char* kind, size_t sink);
    void report_hang();
    void progress();
    void write_results();
    void dump(const std::string& name, const void* data, size_t bytes);

    bool stall_ = false;
    uint64_t seed_ = 1;
    int64_t timeout_ = 0, drain_ = 0, cycle_ = 0, time_ = 0;
    std::string wave_;
    std::vector<UnitState> units_;
    std::vector<Stream> sources_, sinks_;
    std::vector<Watch> monitors_;
    Dut dut_{};
    bool failed_ = false;
    size_t frames_done_ = 0;
    std::chrono::steady_clock::time_point reported_ = std::chrono::steady_clock::now();
    std::vector<uint32_t> without_ready_;
};

// Only bit 0 of a word of valid or ready is driven.
bool up(uint32_t word) { return word & 1; }

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "bench: %s\n", what.c_str());
    std::exit(2);
}

void Bench::read_plan() {
    std::ifstream plan("plan.txt");
    size_t units = 0, sources = 0, sinks = 0, monitors = 0;
    plan >> stall_ >> seed_ >> timeout_ >> drain_ >> wave_ >> units >> sources >> sinks >> monitors;
    units_.resize(units);
    read_streams(plan, sources_, sources);
    read_streams(plan, sinks_, sinks);
    monitors_.resize(monitors);
    for (Watch& watch : monitors_) plan >> watch.unit;
    if (!plan) fail("plan.txt cannot be read");
    for (const Stream& sink : sinks_) ++units_[sink.unit].filling;
    open_data();
}

void Bench::read_streams(std::ifstream& plan, std::vector<Stream>& streams, size_t count) {
    size_t offset = 0;
    for (size_t i = 0; i < count; ++i) {
        Stream stream{};
        plan >> stream.unit >> stream.words >> stream.beats >> stream.beats_per_frame;
        if (!plan) fail("plan.txt is cut off");
        stream.offset = offset;
        offset += stream.words;
        stream.cycles.assign(2 * (stream.beats / stream.beats_per_frame), -1);
        stream.throttle = Throttle(seed_ * 1000003 + 2 * i + (&streams == &sinks_));
        stream.held.resize(stream.words);
        if (stream.beats) ++units_[stream.unit].open_streams;
        streams.push_back(std::move(stream));
    }
}

void Bench::open_data() {
    for (size_t i = 0; i < sources_.size(); ++i) {
        Stream& source = sources_[i];
        source.beat.resize(source.words);
        source.input.open("in" + std::to_string(i) + ".bin", std::ios::binary);
    }
    for (size_t i = 0; i < sinks_.size(); ++i) {
        sinks_[i].output.open("out" + std::to_string(i) + ".bin", std::ios::binary);
    }
}

void Bench::reset() {
    for (size_t i = 0; i < sources_.size(); ++i) dut_.in_valid[i] = 0;
    for (size_t i = 0; i < sinks_.size(); ++i) dut_.out_ready[i] = 0;
    for (int i = 0; i < 8; ++i) {
        dut_eval(false, false);
        dut_dump(time_++);
        dut_eval(true, false);
        dut_dump(time_++);
    }
}

void Bench::drive(Stream& source, size_t index) {
    if (source.offering) return;
    const bool gap = source.done == source.beats || (stall_ && source.throttle.stalls(false));
    dut_.in_valid[index] = !gap;
    uint32_t* wires = dut_.in_data + source.offset;
    if (!gap) {
        source.offering = true;
        const auto bytes = static_cast<std::streamsize>(source.words * 4);
        if (!source.input.read(reinterpret_cast<char*>(source.beat.data()), bytes)) {
            fail("in" + std::to_string(index) + ".bin is short");
        }
        std::memcpy(wires, source.beat.data(), source.words * 4);
    } else if (stall_) {
        // What is on the wires without tvalid must not matter.
        for (size_t i = 0; i < source.words; ++i) wires[i] = source.throttle.random.next();
    }
}

void Bench::choose_ready(Stream& sink, size_t index) {
    dut_.out_ready[index] = !(stall_ && sink.throttle.stalls(!sink.offering));
}

// Settles the combinational logic; with stalls, also checks that no tvalid looks at a tready.
void Bench::settle() {
    if (!stall_) {
        dut_eval(false, true);
        return;
    }
    Words ready(dut_.out_ready, dut_.out_ready + sinks_.size());
    for (size_t i = 0; i < sinks_.size(); ++i) dut_.out_ready[i] = !ready[i];
    dut_eval(false, true);
    without_ready_.assign(dut_.out_valid, dut_.out_valid + sinks_.size());
    for (size_t i = 0; i < sinks_.size(); ++i) dut_.out_ready[i] = ready[i];
    dut_eval(false, true);
    for (size_t i = 0; i < sinks_.size(); ++i) {
        if (without_ready_[i] != dut_.out_valid[i]) violation("combinational", i);
    }
}

void Bench::move(Stream& stream) {
    UnitState& unit = units_[stream.unit];
    unit.last_move = cycle_;
    stream.count(cycle_);
    if (stream.done == stream.beats) --unit.open_streams;
}

void Bench::sample_source(Stream& source, size_t index) {
    if (!source.offering) return;
    if (up(dut_.in_ready[index])) {
        move(source);
        source.offering = false;
    } else if (units_[source.unit].filling == 0) {
        ++source.stalled;
    }
}

void Bench::sample_sink(Stream& sink, size_t index) {
    const uint32_t* wires = dut_.out_data + sink.offset;
    if (!up(dut_.out_valid[index])) {
        if (sink.offering) violation("dropped", index);
        return;
    }
    if (sink.offering && std::memcmp(wires, sink.held.data(), sink.words * 4)) {
        violation("changed", index);
    }
    if (sink.done == sink.beats) {
        violation("surplus", index);
        return;
    }
    UnitState& unit = units_[sink.unit];
    if (!dut_.out_ready[index]) {
        std::memcpy(sink.held.data(), wires, sink.words * 4);
        sink.offering = true;
        if (unit.filling == 0) ++sink.stalled;
        return;
    }
    sink.offering = false;
    sink.output.write(
        reinterpret_cast<const char*>(wires), static_cast<std::streamsize>(sink.words * 4)
    );
    move(sink);
    if (sink.done == sink.beats_per_frame) --unit.filling;
    if (sink.done % sink.beats_per_frame == 0) ++frames_done_;
}

void Bench::sample_monitor(Watch& watch, size_t index) {
    const UnitState& unit = units_[watch.unit];
    const bool valid = up(dut_.monitor_valid[index]);
    const bool ready = up(dut_.monitor_ready[index]);
    watch.beats += valid && ready;
    if (unit.filling || !unit.open_streams) return;
    watch.stalled += valid && !ready;
    watch.starved += ready && !valid;
}

// One cycle; false when the run is over.
bool Bench::step() {
    for (size_t i = 0; i < sources_.size(); ++i) drive(sources_[i], i);
    for (size_t i = 0; i < sinks_.size(); ++i) choose_ready(sinks_[i], i);
    settle();
    if (!failed_) {
        for (size_t i = 0; i < monitors_.size(); ++i) sample_monitor(monitors_[i], i);
        for (size_t i = 0; i < sources_.size(); ++i) sample_source(sources_[i], i);
        for (size_t i = 0; i < sinks_.size(); ++i) sample_sink(sinks_[i], i);
    }
    dut_dump(time_++);
    dut_eval(true, true);
    dut_dump(time_++);
    if (failed_) return false;
    ++cycle_;
    if (dut_finished()) {
        std::ofstream("result.txt") << "finish " << cycle_ << "\n";
        failed_ = true;
        return false;
    }
    return true;
}

bool Bench::all_done() const {
    for (const UnitState& unit : units_) {
        if (unit.open_streams) return false;
    }
    return true;
}

bool Bench::hangs() const {
    for (const UnitState& unit : units_) {
        if (unit.open_streams && cycle_ - unit.last_move > timeout_) return true;
    }
    return false;
}

// violation CYCLE KIND SINK
void Bench::violation(const char* kind, size_t sink) {
    if (failed_) return;
    failed_ = true;
    std::ofstream("result.txt") << "violation " << cycle_ << " " << kind << " " << sink << "\n";
}

// hang CYCLE, then a line for each stream that waits: DIRECTION INDEX DONE BEATS PATIENT
void Bench::report_hang() {
    failed_ = true;
    std::ofstream result("result.txt");
    result << "hang " << cycle_ << "\n";
    const auto list = [&](const char* direction, const std::vector<Stream>& streams) {
        for (size_t i = 0; i < streams.size(); ++i) {
            const Stream& s = streams[i];
            if (s.done == s.beats || cycle_ - units_[s.unit].last_move <= timeout_) continue;
            result << direction << " " << i << " " << s.done << " " << s.beats << " "
                   << (stall_ && s.throttle.patient) << "\n";
        }
    };
    list("in", sources_);
    list("out", sinks_);
}

void Bench::progress() {
    const auto now = std::chrono::steady_clock::now();
    if (now - reported_ < std::chrono::milliseconds(200)) return;
    reported_ = now;
    std::printf("@progress %zu %lld\n", frames_done_, static_cast<long long>(cycle_));
    std::fflush(stdout);
}

void Bench::dump(const std::string& name, const void* data, size_t bytes) {
    std::ofstream file(name, std::ios::binary);
    file.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
    file.close();
    if (!file) fail("No space left on device: " + name);
}

// ok CYCLES, then the stalled cycles of each source and sink, then BEATS STALLED STARVED of each monitor
void Bench::write_results() {
    std::vector<int64_t> cycles;
    for (const auto* streams : {&sources_, &sinks_}) {
        for (const Stream& s : *streams) cycles.insert(cycles.end(), s.cycles.begin(), s.cycles.end());
    }
    dump("cycles.bin", cycles.data(), cycles.size() * sizeof(int64_t));
    for (size_t i = 0; i < sinks_.size(); ++i) {
        sinks_[i].output.close();
        if (!sinks_[i].output) fail("No space left on device: out" + std::to_string(i) + ".bin");
    }
    std::ofstream result("result.txt");
    result << "ok " << cycle_ << "\n";
    for (const Stream& s : sources_) result << s.stalled << "\n";
    for (const Stream& s : sinks_) result << s.stalled << "\n";
    for (const Watch& w : monitors_) result << w.beats << " " << w.stalled << " " << w.starved << "\n";
}

int Bench::run() {
    read_plan();
    dut_ = dut_open(static_cast<uint32_t>(seed_), wave_ == "-" ? nullptr : wave_.c_str());
    reset();
    int64_t idle = 0;
    while (idle < drain_ && step()) {
        idle = all_done() ? idle + 1 : 0;
        if ((cycle_ & 1023) == 0) {
            progress();
            if (hangs()) report_hang();
            if (failed_) break;
        }
    }
    if (!failed_) write_results();
    dut_close();
    return 0;
}

}  // namespace

int main() { return Bench().run(); }
