#define _GNU_SOURCE
#include "CSupervisor.h"

#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct supervisor pod;

enum { HELD = 75, STOP_MILLISECONDS = 10000, LOOK_MILLISECONDS = 5000 };

int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t monotonic_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void finish(struct container *container) {
    container_close(container);
    container->state = EXITED;
    journal_exit(container);
    announce(container);
}

// A container ends with its first process: what that left behind is killed, as the end of a pid namespace does.
static void container_ended(struct container *container, int status) {
    container->status = status;
    container->exited = now_ns();
    container->state = DRAINING;
    container->drain_deadline = monotonic_ms() + DRAIN_MILLISECONDS;
    kill(-container->pid, SIGKILL);
    char mark[512];
    snprintf(mark, sizeof mark, "MARTLET_CONTAINER_ID=%s/%s/%d", pod.uid, container->name, container->attempt);
    kill_marked(mark, true);
}

static void reap(void) {
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (int i = 0; i < pod.container_count; i++) {
            struct container *container = &pod.containers[i];
            if (container->state == RUNNING && container->pid == pid) container_ended(container, status);
        }
        for (int i = 0; i < EXECS; i++) {
            struct exec *exec = &pod.execs[i];
            if (exec->pid != pid || exec->reaped) continue;
            exec->reaped = true;
            exec->status = status;
            exec->drain_deadline = monotonic_ms() + 200;
            kill(-pid, SIGKILL);
        }
    }
}

// Ends the containers with a grace, and then the supervisor.
static void stop(void) {
    if (pod.kill_deadline) return;
    pod.kill_deadline = monotonic_ms() + STOP_MILLISECONDS;
    for (int i = 0; i < pod.container_count; i++) container_signal(&pod.containers[i], SIGTERM);
}

// Whether the pod's directory was removed: no service can find, adopt or end such a pod any more. The lock stands for
// the directory, whose own links say nothing while it is somebody's working directory. A directory that was moved is
// still there.
static bool directory_is_gone(void) {
    struct stat status;
    return fstat(pod.lock, &status) != 0 || status.st_nlink == 0;
}

static void take_signals(void) {
    struct signalfd_siginfo info;
    while (read(pod.signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGTERM) stop();
    }
    reap();
}

static void exec_read(struct exec *exec) {
    char chunk[16 * 1024];
    ssize_t got = read(exec->fd, chunk, sizeof chunk);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        close(exec->fd);
        exec->fd = -1;
        return;
    }
    // What is beyond the limit is read and dropped, so that the command does not hang on a full pipe.
    size_t room = exec->limit - exec->used, take = (size_t)got < room ? (size_t)got : room;
    if (exec->output) memcpy(exec->output + exec->used, chunk, take);
    exec->used += take;
}

// Acts on what is due and answers the milliseconds until something else is.
static int advance(void) {
    int64_t now = monotonic_ms(), next = INT64_MAX;
    int alive = 0;
    // Looked for now and then: inotify would take one of the user's few instances for each pod.
    if (!pod.kill_deadline && now >= pod.look_at) {
        pod.look_at = now + LOOK_MILLISECONDS;
        if (directory_is_gone()) stop();
    }
    if (!pod.kill_deadline) next = pod.look_at;
    for (int i = 0; i < pod.container_count; i++) {
        struct container *container = &pod.containers[i];
        if (container->state == EXITED) continue;
        alive++;
        if (container->state != DRAINING) continue;
        bool drained = container->streams[0].fd < 0 && container->streams[1].fd < 0;
        if (drained || now >= container->drain_deadline) {
            finish(container);
            alive--;
        } else if (container->drain_deadline < next) {
            next = container->drain_deadline;
        }
    }
    for (int i = 0; i < EXECS; i++) {
        struct exec *exec = &pod.execs[i];
        if (!exec->pid) continue;
        if (!exec->reaped && now >= exec->deadline) {
            exec->timed_out = true;
            exec->deadline = INT64_MAX;
            kill(-exec->pid, SIGKILL);
        }
        if (exec->reaped && (exec->fd < 0 || now >= exec->drain_deadline)) {
            exec_finish(exec);
        } else {
            int64_t due = exec->reaped ? exec->drain_deadline : exec->deadline;
            if (due < next) next = due;
        }
    }
    if (alive == 0) kill_orphans();
    if (pod.kill_deadline && alive == 0) {
        unlink("sock");
        _exit(0);
    }
    if (pod.kill_deadline && now >= pod.kill_deadline) {
        for (int i = 0; i < pod.container_count; i++) container_signal(&pod.containers[i], SIGKILL);
        pod.kill_deadline = now + 1000;
    }
    if (pod.kill_deadline && pod.kill_deadline < next) next = pod.kill_deadline;
    return next <= now ? 0 : (int)(next - now);
}

enum { DESCRIPTORS = 2 + CLIENTS + 2 * CONTAINERS + EXECS };

static void serve(void) {
    static struct pollfd polled[DESCRIPTORS];
    static void *owners[DESCRIPTORS];
    for (;;) {
        int timeout = advance(), count = 0;
        polled[count++] = (struct pollfd){.fd = pod.signals, .events = POLLIN};
        polled[count++] = (struct pollfd){.fd = pod.listener, .events = POLLIN};
        int clients = count;
        for (int i = 0; i < CLIENTS; i++) {
            struct client *client = &pod.clients[i];
            short events = (short)(POLLIN | (client->out_used ? POLLOUT : 0));
            polled[count++] = (struct pollfd){.fd = client->fd, .events = events};
        }
        int streams = count;
        for (int i = 0; i < pod.container_count; i++) {
            for (int j = 0; j < 2; j++) {
                if (pod.containers[i].streams[j].fd < 0) continue;
                owners[count] = &pod.containers[i];
                polled[count++] = (struct pollfd){.fd = pod.containers[i].streams[j].fd, .events = POLLIN};
            }
        }
        int execs = count;
        for (int i = 0; i < EXECS; i++) {
            if (!pod.execs[i].pid || pod.execs[i].fd < 0) continue;
            owners[count] = &pod.execs[i];
            polled[count++] = (struct pollfd){.fd = pod.execs[i].fd, .events = POLLIN};
        }
        if (poll(polled, (nfds_t)count, timeout) <= 0) continue;
        // Streams first: clients may change the list of containers.
        for (int i = streams; i < execs; i++) {
            if (!polled[i].revents) continue;
            struct container *container = owners[i];
            int which = container->streams[0].fd == polled[i].fd ? 0 : 1;
            struct stream *stream = &container->streams[which];
            if (stream_read(stream, &container->log, which ? "stderr" : "stdout")) continue;
            close(stream->fd);
            stream->fd = -1;
        }
        for (int i = execs; i < count; i++) {
            if (polled[i].revents) exec_read(owners[i]);
        }
        if (polled[0].revents) take_signals();
        for (int i = 0; i < CLIENTS; i++) {
            short events = polled[clients + i].revents;
            if (events & POLLOUT) client_flush(&pod.clients[i]);
            if (events & (POLLIN | POLLHUP | POLLERR) && pod.clients[i].fd >= 0) client_read(&pod.clients[i]);
        }
        if (polled[1].revents) client_accept();
    }
}

static bool listen_at_socket(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "sock"};
    unlink("sock");
    pod.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return pod.listener >= 0 && bind(pod.listener, (struct sockaddr *)&address, sizeof address) == 0
           && chmod("sock", 0700) == 0 && listen(pod.listener, CLIENTS) == 0;
}

static int complain(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    return 1;
}

// In the detached process: takes over the pod and serves until told to stop.
static int take_over(int ready) {
    setsid();
    umask(077);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_NAME, "martlet-pod");
    for (int i = 0; i < CLIENTS; i++) pod.clients[i].fd = -1;
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    sigaddset(&watched, SIGTERM);
    sigprocmask(SIG_SETMASK, &watched, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    pod.signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    if (pod.signals < 0) return complain("signalfd");
    journal_load();
    if (pod.journal < 0) return complain("open the pod's journal");
    if (!listen_at_socket()) return complain("listen at the pod's socket");
    char text[64];
    int length = snprintf(text, sizeof text, "%d %llu\n", (int)getpid(), start_time_of(getpid()));
    if (ftruncate(pod.lock, 0) != 0 || pwrite(pod.lock, text, (size_t)length, 0) != length) {
        return complain("write the pod's lock file");
    }
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int messages = open("supervisor.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    dup2(null, 0);
    dup2(null, 1);
    dup2(messages >= 0 ? messages : null, 2);
    if (write(ready, "!", 1) != 1) return 1;
    close(ready);
    serve();
    return 0;
}

int martlet_supervise(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: %s supervise <pod directory> [log bytes per file [log files]]\n", argv[0]);
        return 64;
    }
    pod.log_bytes = argc > 3 ? atoll(argv[3]) : 10 << 20;
    pod.log_files = argc > 4 ? atoi(argv[4]) : 5;
    static char directory[4096];
    snprintf(directory, sizeof directory, "%s", argv[2]);
    pod.uid = strdup(basename(directory));
    close_range(3, ~0U, 0);
    if (chdir(argv[2]) != 0) return complain(argv[2]);
    pod.directory = realpath(".", NULL);
    if (!pod.directory) return complain(argv[2]);
    pod.lock = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (pod.lock < 0) return complain("open the pod's lock file");
    if (flock(pod.lock, LOCK_EX | LOCK_NB) != 0) return errno == EWOULDBLOCK ? HELD : complain("lock the pod");
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) != 0) return complain("pipe");
    pid_t pid = fork();
    if (pid < 0) return complain("fork");
    if (pid == 0) _exit(take_over(ready[1]));
    close(ready[1]);
    char byte;
    ssize_t got;
    while ((got = read(ready[0], &byte, 1)) < 0 && errno == EINTR) {}
    return got == 1 ? 0 : 1;
}

int martlet_spawn_supervisor(
    const char *exe, const char *directory, long long log_bytes, int log_files, char *message, int message_size) {
    char bytes[32], files[16];
    snprintf(bytes, sizeof bytes, "%lld", log_bytes);
    snprintf(files, sizeof files, "%d", log_files);
    // What `ps` shows; the program itself may be named by a link such as /proc/self/exe.
    char *arguments[] = {"martlet", "supervise", (char *)directory, bytes, files, NULL};
    int report[2];
    message[0] = 0;
    if (pipe2(report, O_CLOEXEC) != 0) return -errno;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, report[1], 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t pid;
    int failure = posix_spawn(&pid, exe, &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(report[1]);
    int status = 0;
    if (failure == 0) {
        int used = 0;
        ssize_t got;
        do {
            got = read(report[0], message + used, (size_t)(message_size - 1 - used));
            if (got > 0) used += (int)got;
        } while (got > 0 || (got < 0 && errno == EINTR));
        message[used] = 0;
        while (waitpid(pid, &status, 0) < 0) {
            if (errno != EINTR) {
                failure = errno;
                break;
            }
        }
    }
    close(report[0]);
    if (failure) return -failure;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
