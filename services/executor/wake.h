/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Wake-on-LAN by ourselves, where no living node can do it: the magic packet, to every network of this machine.
 */
#include "common/base.h"

#define WAKE_PACKET_BYTES 102
#define WAKE_PORT 9

/* Builds the packet for MAC ("bc:24:11:00:00:50"): 0 or -EINVAL. Pure. */
int wake_build(const char *mac, unsigned char packet[WAKE_PACKET_BYTES]);
/* Sends it as a broadcast on every interface: 0 when one took it, or -errno. Never blocks. */
int wake_send(const unsigned char packet[WAKE_PACKET_BYTES]);
/* The same to one IPv4 address. */
int wake_send_to(const unsigned char packet[WAKE_PACKET_BYTES], const char *address, int port);
