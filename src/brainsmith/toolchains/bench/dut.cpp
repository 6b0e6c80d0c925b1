// Joins the model that Verilator generated (Vbench) to the bench, which is compiled only once.
#include "dut.h"

#include "Vbench.h"
#include "verilated.h"
#if BRAINSMITH_WAVE
#include "verilated_fst_c.h"
#endif

#include <memory>

static std::unique_ptr<VerilatedContext> context;
static std::unique_ptr<Vbench> model;
#if BRAINSMITH_WAVE
static std::unique_ptr<VerilatedFstC> trace;
#endif

Dut dut_open(uint32_t seed, const char* wave) {
    context = std::make_unique<VerilatedContext>();
    // Registers start at random, so that what needs a reset and has none is found.
    context->randReset(2);
    context->randSeed(static_cast<int>(seed & 0x7fffffff) | 1);
    context->traceEverOn(wave != nullptr);
    model = std::make_unique<Vbench>(context.get(), "top");
#if BRAINSMITH_WAVE
    if (wave) {
        trace = std::make_unique<VerilatedFstC>();
        model->trace(trace.get(), 99);
        trace->open(wave);
    }
#endif
    return {model->in_data.data(),      model->in_valid.data(),      model->in_ready.data(),
            model->out_data.data(),     model->out_valid.data(),     model->out_ready.data(),
            model->monitor_valid.data(), model->monitor_ready.data()};
}

void dut_eval(bool clk, bool rst_n) {
    model->clk = clk;
    model->rst_n = rst_n;
    model->eval();
}

void dut_dump(uint64_t time) {
    context->time(time);
#if BRAINSMITH_WAVE
    if (trace) trace->dump(time);
#else
    (void)time;
#endif
}

bool dut_finished() { return context->gotFinish(); }

void dut_close() {
    model->final();
#if BRAINSMITH_WAVE
    trace.reset();
#endif
    // Here, as Verilator's own statics may be gone when ours are destroyed.
    model.reset();
    context.reset();
}
