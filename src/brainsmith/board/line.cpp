// A board's serial line in simulation: bytes from standard input become bits on `rx`, bits on `tx`
// become bytes on standard output. Both may be one end of a pseudo-terminal.
//
//   simulation CLOCK_HZ BAUD
//
// A board that has been silent for long goes on at a pace that takes little processor time. After
// SIGUSR1, and at the end, a line on standard error tells since the one before: cycles from the
// first bit to the last one, bytes in, bytes out, and all cycles.
#include "Vbench.h"
#include "verilated.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <unistd.h>

namespace {

volatile std::sig_atomic_t asked = 0, ended = 0;
void on_ask(int) { asked = 1; }
void on_end(int) { ended = 1; }

struct Traffic {
    uint64_t first = 0, last = 0, in = 0, out = 0, start = 0;
    bool any = false;
    void moved(uint64_t cycle) {
        if (!any) first = cycle;
        any = true;
        last = cycle;
    }
    void tell(uint64_t now) {
        std::fprintf(stderr, "line %llu %llu %llu %llu\n",
                     static_cast<unsigned long long>(any ? last - first : 0),
                     static_cast<unsigned long long>(in), static_cast<unsigned long long>(out),
                     static_cast<unsigned long long>(now - start));
        *this = Traffic{};
        start = now;
    }
};

// One byte on the line: bit k lies between the cycles k and k + 1 times `period` after its start.
struct Byte {
    bool active = false;
    uint32_t bits = 0;
    int index = 0;
    double next = 0;
};

class Line {
  public:
    Line(double clock_hz, double baud) : period_(clock_hz / baud) {}
    int run();

  private:
    bool read_some(int timeout_ms);
    void drive();
    void sample();
    void put(uint8_t byte);
    bool idle() const { return !in_.active && queue_.empty() && !out_.active; }

    static constexpr uint64_t kLook = 256;   // cycles between two looks at standard input
    static constexpr uint64_t kQuiet = 1 << 20; // cycles of silence after which it waits
    static constexpr uint64_t kStep = 8192;  // cycles that it then goes on for after each wait
    static constexpr uint64_t kAwake = 2048; // cycles in which the board comes out of its reset
    double period_;
    uint64_t cycle_ = 0, quiet_ = 0;
    std::deque<uint8_t> queue_;
    Byte in_, out_;
    Traffic traffic_;
    std::unique_ptr<VerilatedContext> context_ = std::make_unique<VerilatedContext>();
    std::unique_ptr<Vbench> board_;
};

bool Line::read_some(int timeout_ms) {
    if (queue_.size() > 64) return true;  // the rest waits where the host has put it
    pollfd one{0, POLLIN, 0};
    if (poll(&one, 1, timeout_ms) <= 0) return true;
    uint8_t data[512];
    const ssize_t count = read(0, data, sizeof data);
    if (count == 0) return false;
    if (count < 0) return errno == EINTR || errno == EAGAIN || errno == EIO;
    queue_.insert(queue_.end(), data, data + count);
    return true;
}

void Line::drive() {
    if (!in_.active && !queue_.empty()) {
        in_ = {true, 0x200u | (uint32_t{queue_.front()} << 1), 0, cycle_ < in_.next ? in_.next : cycle_};
        queue_.pop_front();
        ++traffic_.in;
        traffic_.moved(cycle_);
    }
    while (in_.active && cycle_ >= in_.next) {
        if (in_.index == 10) {
            in_.active = false;
            traffic_.moved(cycle_);
            drive();
            return;
        }
        board_->rx = (in_.bits >> in_.index++) & 1;
        in_.next += period_;
    }
}

void Line::sample() {
    if (!out_.active) {
        if (board_->tx) return;
        out_ = {true, 0, 0, cycle_ + period_ / 2};
        traffic_.moved(cycle_);
    }
    if (cycle_ < out_.next) return;
    out_.bits |= uint32_t{board_->tx} << out_.index++;
    out_.next += period_;
    if (out_.index < 10) return;
    out_.active = false;
    traffic_.moved(cycle_);
    if ((out_.bits & 0x201) == 0x200) put(static_cast<uint8_t>(out_.bits >> 1));
}

void Line::put(uint8_t byte) {
    ++traffic_.out;
    while (!ended) {
        if (write(1, &byte, 1) == 1 || (errno != EAGAIN && errno != EINTR)) return;
        pollfd one{1, POLLOUT, 0};
        poll(&one, 1, 100);
    }
}

int Line::run() {
    context_->randReset(2);
    context_->randSeed(1);
    board_ = std::make_unique<Vbench>(context_.get(), "top");
    board_->clk = 0;
    board_->rx = 1;
    board_->eval();
    while (!ended) {
        if (asked && cycle_ > kAwake) {
            asked = 0;
            traffic_.tell(cycle_);
        }
        if (cycle_ > kAwake && cycle_ % kLook == 0) {
            quiet_ = idle() ? quiet_ + kLook : 0;
            const bool still = quiet_ > kQuiet;
            if (!read_some(still ? 100 : 0)) break;
            if (still) quiet_ = kQuiet - kStep;
        }
        drive();
        board_->clk = 1;
        board_->eval();
        sample();
        board_->clk = 0;
        board_->eval();
        ++cycle_;
        if (context_->gotFinish()) return 3;
    }
    traffic_.tell(cycle_);
    board_->final();
    return 0;
}

}  // namespace

int main(int count, char** words) {
    if (count != 3) return 2;
    struct sigaction ask {};
    ask.sa_handler = on_ask;
    sigaction(SIGUSR1, &ask, nullptr);
    ask.sa_handler = on_end;
    sigaction(SIGTERM, &ask, nullptr);
    sigaction(SIGINT, &ask, nullptr);
    fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
    return Line(std::atof(words[1]), std::atof(words[2])).run();
}
