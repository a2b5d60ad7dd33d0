/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Finding a connection's file descriptor by its two ends, which civetweb does not tell. A connected pair of address
 * and port is unique, and whatever is found is looked at again through a descriptor of our own, so nothing else can
 * be hit by mistake.
 */
#include "common/base.h"

/* The far end of a connection to our port: the address as 16 bytes (IPv4 mapped). */
struct socket_end {
	unsigned char address[16];
	uint16_t port;
};

/* 0, or -EINVAL when ADDRESS is no numeric address. */
int socket_end_parse(const char *address, int port, struct socket_end *ret) _nodiscard_;
/*
 * The connection from PEER to our LOCAL_PORT: 0 with a duplicate (close-on-exec) that the caller owns, and in
 * *ORIGINAL the descriptor it was made of (may be NULL); -ENOENT when there is none.
 */
int socket_find(const struct socket_end *peer, uint16_t local_port, int *ret,
		int *original) _nodiscard_;
/* The listening socket of LOCAL_PORT in this process, or -ENOENT. Borrowed. */
int socket_find_listener(uint16_t local_port);
/* A socket on which reading is at its end at once, or -errno. */
int socket_new_ended(void) _nodiscard_;
/* Raises the soft limit of descriptors to at least WANTED: 0, or -EMFILE when the hard limit is lower. */
int socket_raise_limit(size_t wanted) _nodiscard_;
