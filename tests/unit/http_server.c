/* SPDX-License-Identifier: MIT */
/*
 * The server of the http tests: one thread accepts, one serves each connection, blocking. Stopping
 * shuts the sockets down, which ends every thread.
 */
#include "tests/unit/http_server.h"

#include "common/alloc.h"
#include "common/http_tls.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024

struct connection {
	struct http_server *server;
	pthread_t thread;
	atomic_int fd; /* −1 once closed */
	SSL *ssl;
	char buffer[8192];
	size_t used;
};

struct http_server {
	int listener;
	unsigned port;
	bool is_tls;
	bool is_mute;
	http_server_fn handler;
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	SSL_CTX *ctx;
	bool is_stopping;
	struct http_server_counts counts;
	struct connection *connections[CONNECTIONS_MAX];
	size_t connections_n;
};

/* ── certificates ────────────────────────────────────────────────────────────────────────────── */

static void add_extension(X509 *cert, const struct test_cert *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer ? issuer->cert : cert, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert(extension);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

void test_cert_make(struct test_cert *cert, const char *san, int days,
		    const struct test_cert *issuer)
{
	static atomic_int serial;
	unsigned char digest[HTTP_PIN_BYTES];
	X509_NAME *name;

	cert->key = EVP_EC_gen("P-256");
	cert->cert = X509_new();
	assert(cert->key && cert->cert);
	X509_set_version(cert->cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert->cert), 1 + atomic_fetch_add(&serial, 1));
	X509_gmtime_adj(X509_getm_notBefore(cert->cert), -86400L * 100);
	X509_gmtime_adj(X509_getm_notAfter(cert->cert), 86400L * days);
	X509_set_pubkey(cert->cert, cert->key);
	name = X509_get_subject_name(cert->cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)(san ? san : "ca"), -1, -1, 0);
	X509_set_issuer_name(cert->cert, issuer ? X509_get_subject_name(issuer->cert) : name);
	add_extension(cert->cert, issuer, NID_basic_constraints,
		      san ? "CA:FALSE" : "critical,CA:TRUE");
	if (san)
		add_extension(cert->cert, issuer, NID_subject_alt_name, san);
	assert(X509_sign(cert->cert, issuer ? issuer->key : cert->key, EVP_sha256()) > 0);
	X509_digest(cert->cert, EVP_sha256(), digest, NULL);
	http_pin_build(digest, cert->fingerprint);
}

void test_cert_done(struct test_cert *cert)
{
	X509_free(cert->cert);
	EVP_PKEY_free(cert->key);
	*cert = (struct test_cert){ 0 };
}

void test_cert_write(const struct test_cert *cert, const char *path)
{
	FILE *file = fopen(path, "we");

	assert(file);
	assert(PEM_write_X509(file, cert->cert) == 1);
	fclose(file);
}

/* ── bytes ───────────────────────────────────────────────────────────────────────────────────── */

void http_server_write(struct http_server_call *call, const void *data, size_t size)
{
	struct connection *connection = call->connection;
	const char *at = data;

	while (size > 0) {
		ssize_t n = connection->ssl ? SSL_write(connection->ssl, at, (int)size) :
					      send(connection->fd, at, size, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += n;
		size -= (size_t)n;
	}
}

void http_server_answer(struct http_server_call *call, const char *line, const char *body)
{
	char head[512];
	int length = snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n",
			      line, strlen(body));

	http_server_write(call, head, (size_t)length);
	http_server_write(call, body, strlen(body));
}

static ssize_t receive(struct connection *connection)
{
	struct http_server *server = connection->server;
	size_t space = sizeof(connection->buffer) - 1 - connection->used;
	char *at = connection->buffer + connection->used;
	ssize_t n = connection->ssl ? SSL_read(connection->ssl, at, (int)space) :
				      recv(connection->fd, at, space, 0);

	if (n <= 0)
		return n;
	connection->used += (size_t)n;
	connection->buffer[connection->used] = '\0';
	pthread_mutex_lock(&server->lock);
	server->counts.bytes += (size_t)n;
	pthread_mutex_unlock(&server->lock);
	return n;
}

/* ── requests ────────────────────────────────────────────────────────────────────────────────── */

static size_t length_of_body(const char *head)
{
	const char *field = strcasestr(head, "\r\nContent-Length:");

	return field ? (size_t)strtoul(field + 17, NULL, 10) : 0;
}

/* Reads one request; false when the client is gone. */
static bool read_request(struct connection *connection, struct http_server_call *call)
{
	char *end;
	size_t head;
	size_t body;

	while (!(end = strstr(connection->buffer, "\r\n\r\n"))) {
		if (receive(connection) <= 0)
			return false;
		if (connection->buffer[0] < ' ') { /* TLS, where none is spoken */
			http_server_answer(call, "400 Bad Request", "");
			return false;
		}
	}
	head = (size_t)(end - connection->buffer) + 4;
	end[2] = '\0';
	body = length_of_body(connection->buffer);
	while (connection->used < head + body) {
		if (receive(connection) <= 0)
			return false;
	}
	assert(sscanf(connection->buffer, "%15s %255s", call->method, call->path) == 2);
	snprintf(call->headers, sizeof(call->headers), "%s", connection->buffer);
	snprintf(call->body, sizeof(call->body), "%.*s", (int)body, connection->buffer + head);
	connection->used -= head + body;
	memmove(connection->buffer, connection->buffer + head + body, connection->used + 1);
	return true;
}

static enum http_server_then serve_requests(struct connection *connection)
{
	struct http_server *server = connection->server;
	struct http_server_call call = { .server = server, .connection = connection };
	enum http_server_then then = SERVER_KEEPS;

	while (then == SERVER_KEEPS && read_request(connection, &call)) {
		call.nth++;
		pthread_mutex_lock(&server->lock);
		server->counts.requests++;
		pthread_mutex_unlock(&server->lock);
		then = server->handler(&call);
	}
	if (then == SERVER_HOLDS) {
		do
			connection->used = 0;
		while (receive(connection) > 0);
	}
	return then;
}

static bool handshake(struct connection *connection)
{
	struct http_server *server = connection->server;

	if (!server->is_tls)
		return true;
	pthread_mutex_lock(&server->lock);
	connection->ssl = SSL_new(server->ctx);
	pthread_mutex_unlock(&server->lock);
	SSL_set_fd(connection->ssl, connection->fd);
	return SSL_accept(connection->ssl) == 1;
}

static void *connection_run(void *arg)
{
	struct connection *connection = arg;
	struct http_server *server = connection->server;
	enum http_server_then then = SERVER_CUTS;
	char ignored[64];

	if (server->is_mute) {
		while (recv(connection->fd, ignored, sizeof(ignored), 0) > 0)
			;
	} else if (handshake(connection)) {
		then = serve_requests(connection);
	}
	if (connection->ssl && then != SERVER_CUTS)
		(void)SSL_shutdown(connection->ssl);
	SSL_free(connection->ssl);
	pthread_mutex_lock(&server->lock);
	server->counts.open--;
	close(connection->fd);
	connection->fd = -1;
	pthread_mutex_unlock(&server->lock);
	return NULL;
}

static void accept_one(struct http_server *server, int fd)
{
	struct connection *connection = xnew(struct connection);
	int one = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	connection->server = server;
	connection->fd = fd;
	pthread_mutex_lock(&server->lock);
	if (server->is_stopping || server->connections_n == CONNECTIONS_MAX) {
		close(fd);
		free(connection);
	} else {
		server->connections[server->connections_n++] = connection;
		server->counts.connections++;
		server->counts.open++;
		server->counts.most_open = max_of(server->counts.most_open, server->counts.open);
		assert(pthread_create(&connection->thread, NULL, connection_run, connection) == 0);
	}
	pthread_mutex_unlock(&server->lock);
}

static void *accept_run(void *arg)
{
	struct http_server *server = arg;

	for (;;) {
		int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return NULL;
		accept_one(server, fd);
	}
}

/* ── the interface ───────────────────────────────────────────────────────────────────────────── */

void http_server_set_cert(struct http_server *server, const struct test_cert *cert)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	assert(SSL_CTX_use_certificate(ctx, cert->cert) == 1);
	assert(SSL_CTX_use_PrivateKey(ctx, cert->key) == 1);
	pthread_mutex_lock(&server->lock);
	SSL_CTX_free(server->ctx);
	server->ctx = ctx;
	pthread_mutex_unlock(&server->lock);
}

void http_server_set_tls12(struct http_server *server)
{
	pthread_mutex_lock(&server->lock);
	assert(SSL_CTX_set_max_proto_version(server->ctx, TLS1_2_VERSION) == 1);
	pthread_mutex_unlock(&server->lock);
}

void http_server_renegotiate(struct http_server_call *call)
{
	struct connection *connection = call->connection;

	char ignored;

	assert(SSL_renegotiate(connection->ssl) == 1);
	(void)SSL_do_handshake(connection->ssl);
	(void)SSL_read(connection->ssl, &ignored, 1);
}

struct http_server *http_server_new(const struct test_cert *cert, http_server_fn handler, bool mute)
{
	struct http_server *server = xnew(struct http_server);
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	/* OpenSSL writes with write(2). */
	assert(sigaction(SIGPIPE, &ignore, NULL) == 0);
	pthread_mutex_init(&server->lock, NULL);
	server->handler = handler;
	server->is_mute = mute;
	server->is_tls = cert != NULL;
	if (cert)
		http_server_set_cert(server, cert);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(bind(server->listener, (struct sockaddr *)&address, size) == 0);
	assert(listen(server->listener, 512) == 0);
	assert(getsockname(server->listener, (struct sockaddr *)&address, &size) == 0);
	server->port = ntohs(address.sin_port);
	assert(pthread_create(&server->thread, NULL, accept_run, server) == 0);
	return server;
}

void http_server_free(struct http_server *server)
{
	pthread_mutex_lock(&server->lock);
	server->is_stopping = true;
	for (size_t i = 0; i < server->connections_n; i++) {
		if (server->connections[i]->fd >= 0)
			(void)shutdown(server->connections[i]->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&server->lock);
	(void)shutdown(server->listener, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listener);
	for (size_t i = 0; i < server->connections_n; i++) {
		pthread_join(server->connections[i]->thread, NULL);
		free(server->connections[i]);
	}
	SSL_CTX_free(server->ctx);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

unsigned http_server_port(const struct http_server *server)
{
	return server->port;
}

struct http_server_counts http_server_counts(struct http_server *server)
{
	struct http_server_counts counts;

	pthread_mutex_lock(&server->lock);
	counts = server->counts;
	pthread_mutex_unlock(&server->lock);
	return counts;
}
