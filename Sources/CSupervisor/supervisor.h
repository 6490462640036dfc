#pragma once
// What the files of the supervisor share. One process, one thread, one poll loop.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    LINE_BYTES = 16 * 1024,         // a longer line is written in parts, tagged P, as CRI says
    FRAME_BYTES = 4 * 1024 * 1024,  // the longest request
    PENDING_BYTES = 1024 * 1024,    // answers that a client has not read; beyond, it is cut off
    CONTAINERS = 256,
    EXECS = 32,
    CLIENTS = 8,
    DRAIN_MILLISECONDS = 2000,      // how long a pipe may stay open after its container has ended
};

struct log {
    int fd;
    off_t size;
    char *path;
    unsigned long long lost;  // bytes that could not be written since the last one that could
};

struct stream {
    int fd;
    size_t used;
    char *line;
};

enum state { RUNNING, DRAINING, EXITED };

struct container {
    char *name;
    int attempt;
    pid_t pid;
    unsigned long long start_time;  // field 22 of /proc/pid/stat: tells a pid's reuse
    enum state state;
    bool has_mounts;
    bool lost;  // its end was not seen: an earlier supervisor was killed
    int status;
    int64_t started, exited, drain_deadline;
    struct stream streams[2];
    struct log log;
    char **context;  // of the request that started it: what a command that runs in it needs too
    size_t context_count;
};

struct exec {
    pid_t pid;  // 0: free
    bool reaped, timed_out;
    int status, fd, client;
    unsigned client_serial;
    char *sequence, *output;
    size_t used, limit;
    int64_t deadline, drain_deadline;
};

struct client {
    int fd;
    unsigned serial;
    char *in, *out;
    size_t in_used, in_size, out_used, out_size;
};

// A request as it was sent: strings, each `key=value`, the first a bare verb.
struct request {
    char **fields;
    size_t count;
};

struct supervisor {
    const char *uid, *directory;
    long long log_bytes;
    int log_files;
    int listener, signals, journal, lock;
    off_t journal_size;
    struct container containers[CONTAINERS];
    int container_count;
    struct exec execs[EXECS];
    struct client clients[CLIENTS];
    unsigned serials;
    int64_t kill_deadline;  // non-zero while stopping
    int64_t look_at;        // when to see next whether the pod's directory is still there
};

extern struct supervisor pod;

int64_t now_ns(void);
int64_t monotonic_ms(void);
const char *field(const struct request *request, const char *key);

// process.c
unsigned long long start_time_of(pid_t pid);
void kill_marked(const char *mark, bool only_descendants);
bool kill_orphans(void);

// spawn.c
struct spawned {
    pid_t pid;
    char error[512];
};
struct spawned spawn_process(const struct request *request, int out, int err, pid_t join_mounts_of);

// mounts.c
const char *enter_mounts(const struct request *request, char *error, size_t size);
const char *join_mounts(pid_t pid, char *error, size_t size);

// log.c
bool log_open(struct log *log, const char *path);
void log_close(struct log *log);
bool stream_read(struct stream *stream, struct log *log, const char *name);

// journal.c
void journal_load(void);
void journal_start(const struct container *container);
void journal_exit(const struct container *container);
struct container *container_find(const char *name, int attempt);
struct container *container_add(const char *name, int attempt);

// serve.c
void client_accept(void);
void client_read(struct client *client);
void client_flush(struct client *client);
void client_close(struct client *client);
void announce(const struct container *container);
void exec_finish(struct exec *exec);
void container_signal(struct container *container, int number);
void container_close(struct container *container);
