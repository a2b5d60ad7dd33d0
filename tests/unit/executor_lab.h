/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The whole executor in this process, on a real journal, without a broker, a network or time: what it publishes, asks
 * Proxmox for and waits for comes here (programs that use it are linked with --wrap, see the Makefile), and a test says
 * what is answered, and when. The cluster is home with the nodes pve, b and c, which has no address; 101 is a machine
 * on pve.
 */
#include "common/http.h"
#include "services/executor/executor.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#define LAB_TOLD_MAX 2048
#define LAB_INTERFACES 6

#define LAB_PIN                                                                                    \
	"\"00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"   \
	"00:00:00:00\""
#define LAB_ACTS "token: \"a@pve!b\", executor: {token: \"jarvis@pve!control\"}"
#define LAB_PVE "pve: {address: 10.0.0.1, fingerprint: " LAB_PIN "}"
#define LAB_B "b: {address: 10.0.0.2, fingerprint: " LAB_PIN ", mac: \"bc:24:11:00:00:50\"}"
#define LAB_NODES LAB_PVE ", " LAB_B ", c: {}"
#define LAB_RIGHTS                                                                                 \
	"{\"data\":{\"/\":{\"VM.Audit\":1,\"VM.PowerMgmt\":1,\"Sys.Audit\":1,\"VM.Backup\":1}}}"
#define LAB_GUEST_TARGET                                                                           \
	"{\"object\":\"home/guest/101\",\"name\":\"web\",\"type\":\"qemu\",\"node\":\"pve\","      \
	"\"status\":\"stopped\",\"lock\":null}"
#define LAB_CURRENT "GET /nodes/pve/qemu/101/status/current"
#define LAB_TASKS "GET /nodes/pve/tasks?"
#define LAB_STOPPED "{\"data\":{\"status\":\"stopped\",\"name\":\"web\"}}"
#define LAB_RUNNING "{\"data\":{\"status\":\"running\",\"name\":\"web\",\"uptime\":1}}"
#define LAB_NONE "{\"data\":[]}"
#define LAB_UPID "UPID:pve:0008380E:0131F1BF:6A84EA54:qmstart:101:jarvis@pve!control:"
#define LAB_STATUS "GET /nodes/pve/tasks/UPID%3Apve%3A0008380E%3A0131F1BF%3A6A84EA54%3A"

/* What was published, in order. */
struct lab_told {
	enum topic_id id;
	char *text;
};

struct lab_order {
	const char *tool, *tier, *args;
	const char *object; /* NULL: the tool has none */
	const char *target; /* JSON; NULL: null */
};

struct lab {
	struct clock clock;
	int64_t boot, wall;
	uv_loop_t loop;
	struct service_env env;
	struct config *config;
	void *x; /* NULL: it does not run */
	char folder[48];
	char *data, *runtime, *secrets;
	struct lab_told told[LAB_TOLD_MAX];
	size_t told_n;
	bool is_online;
	bool is_retained;   /* what is handed in */
	int publish;	    /* what publishing says */
	int http;	    /* what making a client says */
	bool connects_late; /* a request leaves with lab_leave(), not at once */
	struct http_call *calls;
	struct timer *timers;
	uint64_t order;
	int64_t epoch;
	unsigned serial;
	char id[27], gid[33]; /* of the last order */

	/* The network of a magic packet. */
	struct ifaddrs interface[LAB_INTERFACES];
	size_t interfaces_n;
	int getifaddrs, socket, setsockopt,
		sendto; /* errno; 0: it works. sendto -1: only a part is sent */
	bool fails_once;
	struct sockaddr_in sent[LAB_INTERFACES];
	size_t sent_n;
};

extern const struct lab_order lab_start_101;

/* A new folder with keys and token. MORE: jarvis.yaml beside the cluster. Nothing runs. */
void lab_init(struct lab *l, const char *more);
void lab_done(struct lab *l);
/* In force from the next start or reload on; TEXT is all of jarvis.yaml. The old one is the caller's. */
struct config *lab_configure(struct lab *l, const char *text);
/* executor_start() alone. */
int lab_boot(struct lab *l);
/* The same; then broker and gate are there, the token's rights are known and the epoch is. */
void lab_start(struct lab *l);
/* In order. What was told stays. */
void lab_stop(struct lab *l);
/* Broker and gate are there, with a heartbeat; the hello is answered. */
void lab_connect(struct lab *l);
void lab_beat(struct lab *l);

/* MS go by; what falls due in them happens, each in its time. */
void lab_pass(struct lab *l, int64_t ms);
/* Hands JSON in. WORDS: of the topic, ended by NULL. */
void lab_hand(struct lab *l, bus_handler_fn fn, enum topic_id id, const char *const *words,
	      const char *json);
void lab_presence(struct lab *l, const char *service, const char *instance, const char *word);

/* Publishes ORDER as approved; whether it was claimed. */
bool lab_approve(struct lab *l, const struct lab_order *order);
/* Answers the last claim with a grant. */
void lab_grant(struct lab *l, const struct lab_order *order);
/* The claim with this nonce, which was l->id's. */
void lab_grant_for(struct lab *l, const struct lab_order *order, const char *nonce);
/* Approves it, and answers the claim. */
void lab_order(struct lab *l, const struct lab_order *order);
/* lab_start_101 up to the request that starts it, which waits for its answer. */
void lab_send_101(struct lab *l);
/* The same, and its task is followed; its status is due after lab_pass(). */
void lab_follow_101(struct lab *l);
void lab_cancel(struct lab *l);
/* The gate knows how the last order ended. */
void lab_settle(struct lab *l);

/* "METHOD /path" of the oldest request that begins so is answered; it must be there. */
void lab_answer(struct lab *l, const char *request, const char *json);
/* With a status and Proxmox's words. */
void lab_refuse(struct lab *l, const char *request, int status, const char *reason);
/* Not at all. */
void lab_lose(struct lab *l, const char *request, enum http_outcome outcome, bool sent);
/* It has its connection: whether it may leave; and whether it left, else that is told. */
bool lab_may_leave(struct lab *l, const char *request);
bool lab_leave(struct lab *l, const char *request);
bool lab_is_asked(const struct lab *l, const char *request);
/* The address that it was asked at. */
const char *lab_host(const struct lab *l, const char *request);

/* The newest document told about ID, or NULL. */
const char *lab_last(const struct lab *l, enum topic_id id);
size_t lab_count(const struct lab *l, enum topic_id id);
/* The value of `"key":"…"` in it; the caller frees it. */
char *lab_value(const struct lab *l, enum topic_id id, const char *key);
/* The last order has ended with OUTCOME ("": any), and the result says WORDS. */
void lab_expect(const struct lab *l, const char *outcome, const char *words);
/* It has not. */
void lab_expect_none(const struct lab *l);
int64_t lab_counter(const struct lab *l, const char *name);
/* executor_lab_world.c: from now on what happens comes to L. */
void lab_world_enter(struct lab *l);
void lab_world_leave(struct lab *l);
/* A file below the folder, for its owner alone. */
void lab_write(const struct lab *l, const char *path, const char *text);
void lab_remove(const struct lab *l, const char *path);
