// What Verilator's writer of FST files needs of LZ4, without compressing: a block of literals.
// A machine with nothing but a compiler has no headers of LZ4, and any reader can read this.
#pragma once

#include <cstring>

inline int LZ4_compressBound(int size) { return size + size / 255 + 16; }

inline int LZ4_compress_default(const char* source, char* target, int size, int capacity) {
    if (capacity < LZ4_compressBound(size)) return 0;
    char* at = target;
    *at++ = static_cast<char>((size < 15 ? size : 15) << 4);
    if (size >= 15) {
        int left = size - 15;
        for (; left >= 255; left -= 255) *at++ = static_cast<char>(255);
        *at++ = static_cast<char>(left);
    }
    std::memcpy(at, source, static_cast<size_t>(size));
    return static_cast<int>(at - target) + size;
}
