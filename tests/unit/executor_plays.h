/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What more than one test plays in the lab of executor_lab.h: how it begins and ends, and how 101 is started well.
 */
#include "tests/unit/executor_lab.h"

#define PLAY_RIGHTS "GET /access/permissions"
#define PLAY_START "POST /nodes/pve/qemu/101/status/start"
#define PLAY_TASK_OK "{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"OK\"}}"

/* A fixture for cmocka: *state is a struct lab, in which nothing runs yet, or the executor does. */
int play_setup(void **state);
int play_setup_started(void **state);
int play_teardown(void **state);

/* The task of 101 that is followed has ended well, and 101 runs. */
void play_task_well(struct lab *l);
/* 101 is started, and is verified to run. */
void play_start_101(struct lab *l);

/* The service says WORDS of what hinders it; NULL: nothing does. */
void play_expect_trouble(const struct lab *l, const char *words);

extern const struct lab_order play_reboot_pve;
