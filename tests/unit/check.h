/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * cmocka wants four headers before its own, in this order.
 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
