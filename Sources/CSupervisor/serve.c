#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// The protocol: frames of a 32-bit little-endian length and that many bytes, which are NUL-terminated strings. A
// request is a verb and `key=value` strings, among them `seq`, which its answer repeats. Every change of a container
// is announced to every client as a frame `container …`; `status` announces all of them before it answers.

const char *field(const struct request *request, const char *key) {
    size_t length = strlen(key);
    for (size_t i = 1; i < request->count; i++) {
        const char *text = request->fields[i];
        if (strncmp(text, key, length) == 0 && text[length] == '=') return text + length + 1;
    }
    return NULL;
}

void client_close(struct client *client) {
    close(client->fd);
    free(client->in);
    free(client->out);
    *client = (struct client){.fd = -1};
}

void client_flush(struct client *client) {
    while (client->fd >= 0 && client->out_used) {
        ssize_t sent = send(client->fd, client->out, client->out_used, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) return;
        if (sent <= 0) {
            client_close(client);
            return;
        }
        client->out_used -= (size_t)sent;
        memmove(client->out, client->out + sent, client->out_used);
    }
}

static bool reserve(char **buffer, size_t *size, size_t wanted) {
    if (wanted <= *size) return true;
    char *grown = realloc(*buffer, wanted);
    if (!grown) return false;
    *buffer = grown;
    *size = wanted;
    return true;
}

static void send_bytes(struct client *client, const char *payload, size_t length) {
    if (client->fd < 0) return;
    if (client->out_used + length + 4 > PENDING_BYTES
        || !reserve(&client->out, &client->out_size, client->out_used + length + 4)) {
        client_close(client);  // it does not read; it may come again and ask for the status
        return;
    }
    uint32_t prefix = (uint32_t)length;
    memcpy(client->out + client->out_used, &prefix, 4);
    memcpy(client->out + client->out_used + 4, payload, length);
    client->out_used += length + 4;
    client_flush(client);
}

// The format's newlines become the ends of strings.
__attribute__((format(printf, 2, 3))) static void send_fields(struct client *client, const char *format, ...) {
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > (int)sizeof text - 1) length = (int)sizeof text - 1;
    for (int i = 0; i < length; i++) {
        if (text[i] == '\n') text[i] = 0;
    }
    send_bytes(client, text, (size_t)length);
}

static void describe(struct client *client, const struct container *container) {
    int code = WIFEXITED(container->status) ? WEXITSTATUS(container->status) : 128 + WTERMSIG(container->status);
    int signal = WIFSIGNALED(container->status) ? WTERMSIG(container->status) : 0;
    bool ended = container->state == EXITED;
    send_fields(
        client, "container\nname=%s\nattempt=%d\npid=%d\nstarted=%lld\nstate=%s\ncode=%d\nsignal=%d\nlost=%d\nexited=%lld\n",
        container->name, container->attempt, (int)container->pid, (long long)container->started,
        ended ? "exited" : "running", ended ? code : 0, ended ? signal : 0, container->lost ? 1 : 0,
        (long long)container->exited);
}

void announce(const struct container *container) {
    for (int i = 0; i < CLIENTS; i++) {
        if (pod.clients[i].fd >= 0) describe(&pod.clients[i], container);
    }
}

static bool open_pipe(int *reader, int *writer) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *reader = ends[0];
    *writer = ends[1];
    return true;
}

// Gives up what only a running container needs.
void container_close(struct container *container) {
    for (int i = 0; i < 2; i++) {
        if (container->streams[i].fd >= 0) close(container->streams[i].fd);
        free(container->streams[i].line);
        container->streams[i] = (struct stream){.fd = -1};
    }
    log_close(&container->log);
    for (size_t i = 0; i < container->context_count; i++) free(container->context[i]);
    free(container->context);
    container->context = NULL;
    container->context_count = 0;
}

// Environment, user and working directory are a container's, and those of what is executed in it.
static void keep_context(struct container *container, const struct request *request) {
    static const char *const kept[] = {"env=", "cwd=", "uid=", "gid=", "group=", "strict=", "nnp="};
    container->context = calloc(request->count + 1, sizeof *container->context);
    for (size_t i = 1; container->context && i < request->count; i++) {
        for (size_t j = 0; j < sizeof kept / sizeof *kept; j++) {
            if (strncmp(request->fields[i], kept[j], strlen(kept[j])) != 0) continue;
            char *copy = strdup(request->fields[i]);
            if (copy) container->context[container->context_count++] = copy;
            break;
        }
    }
}

static void start(struct client *client, const struct request *request, const char *sequence) {
    const char *name = field(request, "name"), *path = field(request, "log");
    int attempt = atoi(field(request, "attempt") ?: "0");
    if (!name || !path || strpbrk(name, " \n")) {
        send_fields(client, "reply\nseq=%s\nerror=start needs a name and a log\n", sequence);
        return;
    }
    for (int i = 0; i < pod.container_count; i++) {
        struct container *other = &pod.containers[i];
        if (strcmp(other->name, name) == 0 && (other->attempt >= attempt || other->state != EXITED)) {
            send_fields(
                client, "reply\nseq=%s\nexists=1\nerror=container %s has attempt %d already\n", sequence, name,
                other->attempt);
            return;
        }
    }
    struct container *container = container_add(name, attempt);
    if (!container) {
        send_fields(client, "reply\nseq=%s\nerror=the pod has more than %d containers\n", sequence, CONTAINERS);
        return;
    }
    int writers[2] = {-1, -1};
    container->streams[0].line = malloc(LINE_BYTES);
    container->streams[1].line = malloc(LINE_BYTES);
    struct spawned spawned = {.pid = -1};
    if (!log_open(&container->log, path)) {
        snprintf(spawned.error, sizeof spawned.error, "log %.300s: %s", path, strerror(errno));
    } else if (!container->streams[0].line || !container->streams[1].line
               || !open_pipe(&container->streams[0].fd, &writers[0])
               || !open_pipe(&container->streams[1].fd, &writers[1])) {
        snprintf(spawned.error, sizeof spawned.error, "pipe: %s", strerror(errno));
    } else {
        spawned = spawn_process(request, writers[0], writers[1], 0);
    }
    for (int i = 0; i < 2; i++) {
        if (writers[i] >= 0) close(writers[i]);
    }
    if (spawned.error[0]) {
        if (spawned.pid > 0) waitpid(spawned.pid, NULL, 0);
        container_close(container);
        free(container->name);
        *container = pod.containers[--pod.container_count];
        send_fields(client, "reply\nseq=%s\nerror=%s\n", sequence, spawned.error);
        return;
    }
    container->pid = spawned.pid;
    container->start_time = start_time_of(spawned.pid);
    container->started = now_ns();
    container->state = RUNNING;
    container->has_mounts = field(request, "mount") != NULL;
    keep_context(container, request);
    journal_start(container);
    announce(container);
    send_fields(client, "reply\nseq=%s\n", sequence);
}

// SIGKILL means everything that the container started; another signal its first process alone, as a container
// runtime does.
void container_signal(struct container *container, int number) {
    if (container->state != RUNNING) return;
    if (number != SIGKILL) {
        kill(container->pid, number);
        return;
    }
    kill(-container->pid, SIGKILL);
    char mark[512];
    snprintf(mark, sizeof mark, "MARTLET_CONTAINER_ID=%s/%s/%d", pod.uid, container->name, container->attempt);
    kill_marked(mark, true);
    kill(container->pid, SIGKILL);
}

static void execute(struct client *client, const struct request *request, const char *sequence) {
    struct container *container =
        container_find(field(request, "name") ?: "", atoi(field(request, "attempt") ?: "0"));
    struct exec *exec = NULL;
    for (int i = 0; i < EXECS && !exec; i++) {
        if (pod.execs[i].pid == 0) exec = &pod.execs[i];
    }
    if (!container || container->state != RUNNING || !exec) {
        const char *why = exec ? "the container does not run" : "too many commands run at once";
        send_fields(client, "reply\nseq=%s\nerror=%s\n", sequence, why);
        return;
    }
    int reader, writer;
    if (!open_pipe(&reader, &writer)) {
        send_fields(client, "reply\nseq=%s\nerror=pipe: %s\n", sequence, strerror(errno));
        return;
    }
    struct request whole = {.fields = calloc(request->count + container->context_count + 1, sizeof(char *))};
    for (size_t i = 0; whole.fields && i < request->count; i++) whole.fields[whole.count++] = request->fields[i];
    for (size_t i = 0; whole.fields && i < container->context_count; i++) {
        whole.fields[whole.count++] = container->context[i];
    }
    struct spawned spawned = spawn_process(&whole, writer, writer, container->has_mounts ? container->pid : 0);
    free(whole.fields);
    close(writer);
    if (spawned.error[0]) {
        if (spawned.pid > 0) waitpid(spawned.pid, NULL, 0);
        close(reader);
        send_fields(client, "reply\nseq=%s\nnotfound=1\nerror=%s\n", sequence, spawned.error);
        return;
    }
    size_t limit = (size_t)atol(field(request, "limit") ?: "10240");
    if (limit > 256 * 1024) limit = 256 * 1024;
    *exec = (struct exec){
        .pid = spawned.pid, .fd = reader, .client = (int)(client - pod.clients), .client_serial = client->serial,
        .sequence = strdup(sequence), .output = malloc(limit + 1), .limit = limit,
        .deadline = monotonic_ms() + atoll(field(request, "timeout") ?: "1000"),
    };
}

// Answers a command that has ended and of which all output has been read.
void exec_finish(struct exec *exec) {
    struct client *client = &pod.clients[exec->client];
    if (client->fd >= 0 && client->serial == exec->client_serial) {
        int code = WIFEXITED(exec->status) ? WEXITSTATUS(exec->status) : 128 + WTERMSIG(exec->status);
        size_t used = exec->output ? exec->used : 0;
        char *text = malloc(used + 512);
        if (text) {
            int head = snprintf(
                text, 256, "reply%cseq=%.64s%ccode=%d%ctimeout=%d%coutput=", 0, exec->sequence, 0, code, 0,
                exec->timed_out ? 1 : 0, 0);
            for (size_t i = 0; i < used; i++) text[(size_t)head + i] = exec->output[i] ? exec->output[i] : ' ';
            text[(size_t)head + used] = 0;
            send_bytes(client, text, (size_t)head + used + 1);
            free(text);
        }
    }
    if (exec->fd >= 0) close(exec->fd);
    free(exec->sequence);
    free(exec->output);
    *exec = (struct exec){0};
}

static void shut_down(struct client *client, const char *sequence) {
    for (int i = 0; i < pod.container_count; i++) {
        if (pod.containers[i].state == RUNNING) kill(-pod.containers[i].pid, SIGKILL);
    }
    for (int look = 0; look < 256 && kill_orphans(); look++) {
        while (waitpid(-1, NULL, WNOHANG) > 0) {}
        usleep(1000);
    }
    unlink("sock");
    send_fields(client, "reply\nseq=%s\n", sequence);
    _exit(0);
}

static void answer(struct client *client, const struct request *request) {
    const char *verb = request->count ? request->fields[0] : "";
    const char *sequence = field(request, "seq") ?: "0";
    if (strcmp(verb, "start") == 0) {
        start(client, request, sequence);
    } else if (strcmp(verb, "exec") == 0) {
        execute(client, request, sequence);
    } else if (strcmp(verb, "status") == 0) {
        for (int i = 0; i < pod.container_count; i++) describe(client, &pod.containers[i]);
        send_fields(client, "reply\nseq=%s\n", sequence);
    } else if (strcmp(verb, "signal") == 0) {
        struct container *container =
            container_find(field(request, "name") ?: "", atoi(field(request, "attempt") ?: "0"));
        if (container) container_signal(container, atoi(field(request, "signal") ?: "15"));
        send_fields(client, "reply\nseq=%s\n", sequence);
    } else if (strcmp(verb, "shutdown") == 0) {
        shut_down(client, sequence);
    } else {
        send_fields(client, "reply\nseq=%s\nerror=unknown verb\n", sequence);
    }
}

static void parse(struct client *client, char *payload, size_t length) {
    struct request request = {.fields = NULL};
    size_t strings = 0;
    for (size_t i = 0; i < length; i++) strings += payload[i] == 0;
    request.fields = calloc(strings + 1, sizeof *request.fields);
    if (!request.fields) return;
    char *cursor = payload, *end = payload + length;
    while (cursor < end && memchr(cursor, 0, (size_t)(end - cursor))) {
        request.fields[request.count++] = cursor;
        cursor += strlen(cursor) + 1;
    }
    answer(client, &request);
    free(request.fields);
}

void client_accept(void) {
    int fd = accept4(pod.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    for (int i = 0; i < CLIENTS; i++) {
        if (pod.clients[i].fd >= 0) continue;
        pod.clients[i] = (struct client){.fd = fd, .serial = ++pod.serials};
        return;
    }
    close(fd);
}

void client_read(struct client *client) {
    if (!reserve(&client->in, &client->in_size, client->in_used + 64 * 1024)) {
        client_close(client);
        return;
    }
    ssize_t got = recv(client->fd, client->in + client->in_used, client->in_size - client->in_used, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        client_close(client);
        return;
    }
    client->in_used += (size_t)got;
    while (client->fd >= 0 && client->in_used >= 4) {
        uint32_t length;
        memcpy(&length, client->in, 4);
        if (length > FRAME_BYTES) {
            client_close(client);
            return;
        }
        if (client->in_used < (size_t)length + 4) return;
        char *payload = malloc((size_t)length + 1);
        if (!payload) {
            client_close(client);
            return;
        }
        memcpy(payload, client->in + 4, length);
        client->in_used -= (size_t)length + 4;
        memmove(client->in, client->in + 4 + length, client->in_used);
        parse(client, payload, length);
        free(payload);
    }
}
