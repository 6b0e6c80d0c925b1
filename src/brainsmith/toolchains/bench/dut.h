// The model under test as the bench sees it: all streams of all units, in 32-bit words.
#pragma once
#include <cstdint>

struct Dut {
    // Data words of every port in order, each port from a word boundary; one word per valid/ready.
    uint32_t* in_data;
    uint32_t* in_valid;
    const uint32_t* in_ready;
    const uint32_t* out_data;
    const uint32_t* out_valid;
    uint32_t* out_ready;
    const uint32_t* monitor_valid;
    const uint32_t* monitor_ready;
};

// `wave` is the name of an FST file, or nullptr.
Dut dut_open(uint32_t seed, const char* wave);
void dut_eval(bool clk, bool rst_n);
void dut_dump(uint64_t time);
bool dut_finished();
void dut_close();
