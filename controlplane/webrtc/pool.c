/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "controlplane/webrtc/pool.h"

/* Timers are looked through at most so often, however many handshakes there are. */
#define TIMER_GRAIN_NS 10000000ULL

enum job_kind { JOB_DATAGRAM, JOB_CLOSE };

struct pool_job {
	struct pool_job *next;
	struct pool_task *task;
	enum job_kind kind;
	struct stn_address remote;
	uint16_t size;
	uint8_t bytes[];
};

struct pool_thread {
	struct pool *pool;
	pthread_t id;
	bool started;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t ready;
	struct pool_job *first, **end;
	unsigned int queued;
	bool stop;

	/* The thread's own. */
	struct pool_task *tasks; /* with a running handshake */
	struct pool_task *current;
	struct pool_event *made, **made_end; /* of what is being done, posted together */
	uint64_t wake_ns;                    /* no timer is earlier */
};

struct pool {
	int event_fd;
	unsigned int thread_count;
	uint64_t next;        /* the loop's thread: where the next task goes */
	pthread_mutex_t lock; /* guards the mailbox */
	struct pool_event *first, **end;
	struct pool_thread thread[POOL_THREADS_MAX];
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct pool_thread *thread_of(struct pool *pool, const struct pool_task *task)
{
	return &pool->thread[task->number % pool->thread_count];
}

void pool_wake(struct pool *pool)
{
	uint64_t one = 1;

	/* It cannot fail but by overflow, and then it is readable already. */
	if (write(pool->event_fd, &one, sizeof(one)) < 0)
		return;
}

static void make(struct pool_thread *thread, struct pool_event *event)
{
	event->next = NULL;
	*thread->made_end = event;
	thread->made_end = &event->next;
}

/*
 * All at once: who has our last flight may end its session at once, and the loop's thread must know
 * by then that there is one, or it has nothing to close.
 */
static void post(struct pool_thread *thread)
{
	struct pool *pool = thread->pool;
	bool was_empty;

	if (thread->made == NULL)
		return;
	pthread_mutex_lock(&pool->lock);
	was_empty = pool->first == NULL;
	*pool->end = thread->made;
	pool->end = thread->made_end;
	pthread_mutex_unlock(&pool->lock);
	thread->made = NULL;
	thread->made_end = &thread->made;
	if (was_empty)
		pool_wake(pool);
}

struct pool_event *pool_take(struct pool *pool)
{
	struct pool_event *all;
	uint64_t count;

	if (read(pool->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return NULL;
	pthread_mutex_lock(&pool->lock);
	all = pool->first;
	pool->first = NULL;
	pool->end = &pool->first;
	pthread_mutex_unlock(&pool->lock);
	return all;
}

static struct pool_event *make_event(struct pool_task *task, enum pool_event_kind kind, size_t size)
{
	struct pool_event *event = calloc(1, sizeof(*event) + size);

	if (event != NULL) {
		event->task = task;
		event->kind = kind;
		event->size = (uint16_t)size;
	}
	return event;
}

void pool_event_free(struct pool_event *event)
{
	free(event);
}

struct pool_task *pool_task_make(void)
{
	struct pool_task *task = calloc(1, sizeof(*task));

	if (task == NULL)
		return NULL;
	task->close_job = calloc(1, sizeof(*task->close_job));
	task->done_event = make_event(task, POOL_DONE, 0);
	task->closed_event = make_event(task, POOL_CLOSED, 0);
	if (task->close_job == NULL || task->done_event == NULL || task->closed_event == NULL) {
		pool_task_free(task);
		return NULL;
	}
	task->close_job->task = task;
	task->close_job->kind = JOB_CLOSE;
	return task;
}

void pool_task_free(struct pool_task *task)
{
	if (task == NULL)
		return;
	free(task->close_job);
	free(task->done_event);
	free(task->closed_event);
	explicit_bzero(task, sizeof(*task));
	free(task);
}

/* ---- the thread's side ---- */

/* A handshake has something to send: to where the last datagram came from. */
static void send_bytes(void *context, const uint8_t *bytes, size_t size)
{
	struct pool_thread *thread = context;
	struct pool_event *event = make_event(thread->current, POOL_SEND, size);

	if (event == NULL)
		return; /* lost, as datagrams may be */
	event->remote = thread->current->remote;
	memcpy(event->bytes, bytes, size);
	make(thread, event);
}

static void unlink_task(struct pool_thread *thread, struct pool_task *task)
{
	if (task->newer != NULL)
		task->newer->older = task->older;
	else
		thread->tasks = task->older;
	if (task->older != NULL)
		task->older->newer = task->newer;
	task->newer = task->older = NULL;
}

static void end_handshake(struct pool_thread *thread, struct pool_task *task)
{
	if (task->handshake == NULL)
		return;
	handshake_close(task->handshake);
	task->handshake = NULL;
	unlink_task(thread, task);
}

static void settle(struct pool_thread *thread, struct pool_task *task, enum handshake_state state)
{
	struct pool_event *event = task->done_event;
	uint64_t deadline_ns;

	if (state == HANDSHAKE_RUNNING) {
		deadline_ns = handshake_deadline_ns(task->handshake);
		if (deadline_ns < thread->wake_ns)
			thread->wake_ns = deadline_ns;
		post(thread);
		return;
	}
	task->state = state;
	handshake_take(task->handshake, &task->result);
	end_handshake(thread, task);
	task->done_event = NULL;
	make(thread, event);
	post(thread);
}

static bool begin_handshake(struct pool_thread *thread, struct pool_task *task)
{
	struct handshake_sink sink = {send_bytes, thread};

	if (handshake_open(&task->handshake, task->context, task->fingerprint, &sink,
		    task->timeout_at_ns) != 0)
		return false; /* the client sends its hello again */
	task->older = thread->tasks;
	if (task->older != NULL)
		task->older->newer = task;
	thread->tasks = task;
	return true;
}

static void do_datagram(struct pool_thread *thread, const struct pool_job *job)
{
	struct pool_task *task = job->task;

	if (task->done_event == NULL) /* over; the loop's thread does not know yet */
		return;
	if (task->handshake == NULL && !begin_handshake(thread, task))
		return;
	task->remote = job->remote;
	thread->current = task;
	settle(thread, task, handshake_receive(task->handshake, job->bytes, job->size, now_ns()));
}

static void do_close(struct pool_thread *thread, struct pool_job *job)
{
	struct pool_task *task = job->task;
	struct pool_event *event = task->closed_event;

	end_handshake(thread, task);
	task->close_job = NULL;
	task->closed_event = NULL;
	free(job);
	make(thread, event);
	post(thread); /* the task is not ours from here on */
}

static void do_timers(struct pool_thread *thread)
{
	uint64_t now = now_ns();
	struct pool_task *task, *older;

	if (now < thread->wake_ns)
		return;
	thread->wake_ns = UINT64_MAX;
	for (task = thread->tasks; task != NULL; task = older) {
		older = task->older;
		thread->current = task;
		settle(thread, task, handshake_tick(task->handshake, now));
	}
	if (thread->wake_ns < now + TIMER_GRAIN_NS)
		thread->wake_ns = now + TIMER_GRAIN_NS;
}

/* Waits for a job or a timer. NULL: a timer, or the end. Takes the lock and gives it back. */
static struct pool_job *next_job(struct pool_thread *thread, bool *stop)
{
	struct pool_job *job;

	pthread_mutex_lock(&thread->lock);
	while (thread->first == NULL && !thread->stop && thread->wake_ns > now_ns()) {
		struct timespec until = {(time_t)(thread->wake_ns / 1000000000u),
			(long)(thread->wake_ns % 1000000000u)};

		if (thread->wake_ns == UINT64_MAX)
			pthread_cond_wait(&thread->ready, &thread->lock);
		else
			pthread_cond_timedwait(&thread->ready, &thread->lock, &until);
	}
	*stop = thread->stop;
	job = thread->first;
	if (job != NULL) {
		thread->first = job->next;
		if (thread->first == NULL)
			thread->end = &thread->first;
		if (job->kind == JOB_DATAGRAM) {
			thread->queued--;
			job->task->queued--;
		}
	}
	pthread_mutex_unlock(&thread->lock);
	return job;
}

static void *run(void *argument)
{
	struct pool_thread *thread = argument;
	bool stop = false;

	while (true) {
		struct pool_job *job = next_job(thread, &stop);

		if (job != NULL && job->kind == JOB_CLOSE) {
			do_close(thread, job);
		} else if (job != NULL) {
			if (!stop)
				do_datagram(thread, job);
			free(job);
		} else if (stop) {
			break;
		}
		do_timers(thread);
	}
	return NULL;
}

/* ---- the loop's side ---- */

static void enqueue(struct pool_thread *thread, struct pool_job *job)
{
	job->next = NULL;
	*thread->end = job;
	thread->end = &job->next;
	pthread_cond_signal(&thread->ready);
}

void pool_start(struct pool *pool, struct pool_task *task)
{
	task->number = pool->next++;
}

int pool_receive(struct pool *pool, struct pool_task *task, const struct stn_address *remote,
	const uint8_t *bytes, size_t size)
{
	struct pool_thread *thread = thread_of(pool, task);
	struct pool_job *job = malloc(sizeof(*job) + size);
	int rc = -ENOBUFS;

	if (job == NULL)
		return -ENOMEM;
	job->task = task;
	job->kind = JOB_DATAGRAM;
	job->remote = *remote;
	job->size = (uint16_t)size;
	memcpy(job->bytes, bytes, size);
	pthread_mutex_lock(&thread->lock);
	if (thread->queued < POOL_QUEUE_MAX && task->queued < POOL_TASK_QUEUE_MAX) {
		thread->queued++;
		task->queued++;
		enqueue(thread, job);
		rc = 0;
	}
	pthread_mutex_unlock(&thread->lock);
	if (rc != 0)
		free(job);
	return rc;
}

void pool_finish(struct pool *pool, struct pool_task *task)
{
	struct pool_thread *thread = thread_of(pool, task);

	pthread_mutex_lock(&thread->lock);
	enqueue(thread, task->close_job);
	pthread_mutex_unlock(&thread->lock);
}

int pool_fd(const struct pool *pool)
{
	return pool->event_fd;
}

/* Signals are the main thread's. */
static int start_thread(struct pool_thread *thread)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&thread->id, NULL, run, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	thread->started = rc == 0;
	return -rc;
}

static void init_thread(struct pool *pool, struct pool_thread *thread)
{
	pthread_condattr_t attributes;

	thread->pool = pool;
	thread->end = &thread->first;
	thread->made_end = &thread->made;
	thread->wake_ns = UINT64_MAX;
	pthread_mutex_init(&thread->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&thread->ready, &attributes);
	pthread_condattr_destroy(&attributes);
}

int pool_open(struct pool **out, unsigned int threads)
{
	struct pool *pool;
	int rc = 0;

	if (threads == 0 || threads > POOL_THREADS_MAX)
		return -EINVAL;
	pool = calloc(1, sizeof(*pool));
	if (pool == NULL)
		return -ENOMEM;
	pool->end = &pool->first;
	pool->thread_count = threads;
	pthread_mutex_init(&pool->lock, NULL);
	for (unsigned int i = 0; i < threads; i++)
		init_thread(pool, &pool->thread[i]);
	pool->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pool->event_fd < 0)
		rc = -errno;
	for (unsigned int i = 0; i < threads && rc == 0; i++)
		rc = start_thread(&pool->thread[i]);
	if (rc != 0) {
		pool_close(pool, NULL);
		return rc;
	}
	*out = pool;
	return 0;
}

static void join_thread(struct pool_thread *thread)
{
	if (!thread->started)
		return;
	pthread_mutex_lock(&thread->lock);
	thread->stop = true;
	pthread_cond_signal(&thread->ready);
	pthread_mutex_unlock(&thread->lock);
	pthread_join(thread->id, NULL);
}

void pool_close(struct pool *pool, void (*drop)(struct pool_task *task))
{
	struct pool_event *event, *next;

	if (pool == NULL)
		return;
	for (unsigned int i = 0; i < pool->thread_count; i++) {
		join_thread(&pool->thread[i]);
		pthread_mutex_destroy(&pool->thread[i].lock);
		pthread_cond_destroy(&pool->thread[i].ready);
	}
	for (event = pool->first; event != NULL; event = next) {
		next = event->next;
		if (event->kind == POOL_CLOSED)
			drop(event->task);
		pool_event_free(event);
	}
	pthread_mutex_destroy(&pool->lock);
	if (pool->event_fd >= 0)
		close(pool->event_fd);
	free(pool);
}
