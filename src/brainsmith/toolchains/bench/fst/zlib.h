// What Verilator's writer of FST files needs of zlib, without compressing: stored blocks.
// A machine with nothing but a compiler has no headers of zlib, and any reader can read this.
#pragma once

#include <cstdint>
#include <cstring>

using Bytef = unsigned char;
using uLong = unsigned long;
using uLongf = unsigned long;
constexpr int Z_OK = 0, Z_BUF_ERROR = -5;

inline uLong compressBound(uLong size) { return size + 5 * (size / 65535 + 1) + 6; }

inline int compress2(Bytef* target, uLongf* length, const Bytef* source, uLong size, int) {
    if (*length < compressBound(size)) return Z_BUF_ERROR;
    Bytef* at = target;
    *at++ = 0x78;
    *at++ = 0x01;
    uLong left = size;
    do {
        const uLong part = left < 65535 ? left : 65535;
        const Bytef head[] = {
            static_cast<Bytef>(part == left), static_cast<Bytef>(part),
            static_cast<Bytef>(part >> 8),    static_cast<Bytef>(~part),
            static_cast<Bytef>(~part >> 8),
        };
        std::memcpy(at, head, sizeof head);
        std::memcpy(at + sizeof head, source + (size - left), part);
        at += sizeof head + part;
        left -= part;
    } while (left);
    uint32_t low = 1, high = 0;
    for (uLong i = 0; i < size; ++i) {
        low = (low + source[i]) % 65521;
        high = (high + low) % 65521;
    }
    for (const uint32_t half : {high, low}) {
        *at++ = static_cast<Bytef>(half >> 8);
        *at++ = static_cast<Bytef>(half);
    }
    *length = static_cast<uLongf>(at - target);
    return Z_OK;
}
