#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char output[256 * 1024];
static size_t output_used;

bool log_open(struct log *log, const char *path) {
    log->path = strdup(path);
    log->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    struct stat info;
    log->size = log->fd >= 0 && fstat(log->fd, &info) == 0 ? info.st_size : 0;
    return log->fd >= 0;
}

void log_close(struct log *log) {
    if (log->fd >= 0) close(log->fd);
    log->fd = -1;
    free(log->path);
    log->path = NULL;
}

// web/0.log becomes web/0.log.1, that one web/0.log.2, and the oldest goes.
static void rotate(struct log *log) {
    char from[4096], to[4096];
    for (int number = pod.log_files - 1; number > 0; number--) {
        if (number > 1) {
            snprintf(from, sizeof from, "%s.%d", log->path, number - 1);
        } else {
            snprintf(from, sizeof from, "%s", log->path);
        }
        snprintf(to, sizeof to, "%s.%d", log->path, number);
        rename(from, to);
    }
    int fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0) return;  // goes on in the old file rather than lose lines
    close(log->fd);
    log->fd = fd;
    log->size = 0;
}

// Writing to a file blocks; meanwhile the pipe fills and the container waits. Nothing piles up here.
static void flush(struct log *log) {
    size_t done = 0;
    while (done < output_used) {
        ssize_t wrote = write(log->fd, output + done, output_used - done);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) break;
        done += (size_t)wrote;
    }
    log->size += (off_t)done;
    log->lost += output_used - done;
    output_used = 0;
}

static size_t timestamp(char *text, size_t size) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    static time_t second = -1;
    static char prefix[32];
    if (now.tv_sec != second) {
        struct tm parts;
        gmtime_r(&now.tv_sec, &parts);
        strftime(prefix, sizeof prefix, "%Y-%m-%dT%H:%M:%S", &parts);
        second = now.tv_sec;
    }
    return (size_t)snprintf(text, size, "%s.%09ldZ", prefix, now.tv_nsec);
}

// `2026-11-22T10:00:00.000000000Z stdout F text`, the line format of CRI.
static void append(struct log *log, const char *name, char tag, const char *text, size_t length) {
    if (output_used + length + 128 > sizeof output) flush(log);
    if (log->size + (off_t)(output_used + length + 64) > pod.log_bytes && log->size + (off_t)output_used > 0) {
        flush(log);
        rotate(log);
    }
    if (log->lost) {
        output_used += timestamp(output + output_used, 64);
        output_used += (size_t)snprintf(
            output + output_used, 64, " stderr F martlet: %llu bytes of log were lost\n", log->lost);
        log->lost = 0;
    }
    output_used += timestamp(output + output_used, 64);
    output_used += (size_t)snprintf(output + output_used, 32, " %s %c ", name, tag);
    memcpy(output + output_used, text, length);
    output_used += length;
    output[output_used++] = '\n';
}

// Reads once. False at the stream's end.
bool stream_read(struct stream *stream, struct log *log, const char *name) {
    ssize_t got = read(stream->fd, stream->line + stream->used, LINE_BYTES - stream->used);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (got <= 0) {
        if (stream->used) append(log, name, 'F', stream->line, stream->used);
        flush(log);
        stream->used = 0;
        return false;
    }
    stream->used += (size_t)got;
    char *start = stream->line, *end = stream->line + stream->used, *newline;
    while (start < end && (newline = memchr(start, '\n', (size_t)(end - start)))) {
        append(log, name, 'F', start, (size_t)(newline - start));
        start = newline + 1;
    }
    stream->used = (size_t)(end - start);
    memmove(stream->line, start, stream->used);
    if (stream->used == LINE_BYTES) {
        append(log, name, 'P', stream->line, stream->used);
        stream->used = 0;
    }
    flush(log);
    return true;
}
