/* SPDX-License-Identifier: MIT */
/*
 * Two pipes and what flows between them.
 */
#include "tests/integration/cable.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/str.h"
#include "tests/unit/check.h"

struct end {
	uv_pipe_t pipe;
	struct cable *cable;
	struct end *other;
	bool is_broker;
};

struct cable {
	struct harness *h;
	char *path;
	uv_pipe_t *listener;
	struct end *client; /* NULL: nobody is connected */
	bool loses_answers, is_cut;
};

struct parcel {
	uv_write_t request;
	char *data;
};

static void free_cb(uv_handle_t *handle)
{
	free(handle->data);
}

static void end_close(struct end *end)
{
	end->pipe.data = end;
	if (!uv_is_closing((uv_handle_t *)&end->pipe))
		uv_close((uv_handle_t *)&end->pipe, free_cb);
}

static void disconnect(struct cable *cable)
{
	struct end *client = take(cable->client);

	if (!client)
		return;
	end_close(client->other);
	end_close(client);
}

static void written_cb(uv_write_t *request, _unused_ int status)
{
	struct parcel *parcel = request->data;

	free(parcel->data);
	free(parcel);
}

static void alloc_cb(_unused_ uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	*buf = uv_buf_init(xmalloc(size), (unsigned)size);
}

static void read_cb(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct end *end = stream->data;
	struct parcel *parcel;
	uv_buf_t out;

	if (n <= 0 || (end->is_broker && end->cable->loses_answers)) {
		free(buf->base);
		if (n < 0)
			disconnect(end->cable);
		return;
	}
	parcel = xnew(struct parcel);
	parcel->data = buf->base;
	parcel->request.data = parcel;
	out = uv_buf_init(buf->base, (unsigned)n);
	assert_int_equal(
		uv_write(&parcel->request, (uv_stream_t *)&end->other->pipe, &out, 1, written_cb),
		0);
}

static struct end *end_new(struct cable *cable)
{
	struct end *end = xnew(struct end);

	end->cable = cable;
	assert_int_equal(uv_pipe_init(harness_loop(cable->h), &end->pipe, 0), 0);
	end->pipe.data = end;
	return end;
}

static void connected_cb(uv_connect_t *request, int status)
{
	struct end *broker = request->data;

	free(request);
	if (status < 0) {
		if (broker->cable->client && broker->cable->client->other == broker)
			disconnect(broker->cable);
		return;
	}
	(void)uv_read_start((uv_stream_t *)&broker->pipe, alloc_cb, read_cb);
	(void)uv_read_start((uv_stream_t *)&broker->other->pipe, alloc_cb, read_cb);
}

static void accept_cb(uv_stream_t *listener, _unused_ int status)
{
	struct cable *cable = listener->data;
	struct end *client = end_new(cable);
	struct end *broker;
	uv_connect_t *request;

	assert_int_equal(uv_accept(listener, (uv_stream_t *)&client->pipe), 0);
	if (cable->is_cut || cable->client) {
		end_close(client);
		return;
	}
	broker = end_new(cable);
	broker->is_broker = true;
	broker->other = client;
	client->other = broker;
	cable->client = client;
	request = xnew(uv_connect_t);
	request->data = broker;
	uv_pipe_connect(request, &broker->pipe, harness_socket(cable->h), connected_cb);
}

struct cable *cable_new(struct harness *h)
{
	struct cable *cable = xnew(struct cable);

	cable->h = h;
	cable->path = xasprintf("%s/cable.sock", harness_dir(h));
	cable->listener = xnew(uv_pipe_t);
	assert_int_equal(uv_pipe_init(harness_loop(h), cable->listener, 0), 0);
	assert_int_equal(uv_pipe_bind(cable->listener, cable->path), 0);
	cable->listener->data = cable;
	assert_int_equal(uv_listen((uv_stream_t *)cable->listener, 8, accept_cb), 0);
	return cable;
}

void cable_free(struct cable *cable)
{
	disconnect(cable);
	cable->listener->data = cable->listener;
	uv_close((uv_handle_t *)cable->listener, free_cb);
	free(cable->path);
	free(cable);
}

const char *cable_socket(const struct cable *cable)
{
	return cable->path;
}

void cable_lose_answers(struct cable *cable)
{
	cable->loses_answers = true;
}

void cable_cut(struct cable *cable)
{
	cable->is_cut = true;
	disconnect(cable);
}

void cable_mend(struct cable *cable)
{
	cable->is_cut = false;
	cable->loses_answers = false;
}
