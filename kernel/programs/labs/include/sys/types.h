/*
 * sys/types.h: of the labs' small C library (README, "The labs").
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef int64_t off_t;
typedef int64_t ssize_t;
typedef uint32_t mode_t;
typedef int32_t pid_t;
