#define _GNU_SOURCE
#include "supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The journal says what was started and how it ended, one line each, so that exit codes survive this process:
//   start <name> <attempt> <pid> <start time> <nanoseconds>
//   exit <name> <attempt> <wait status> <lost> <nanoseconds>
// A line is one write; a torn last line is ignored.

enum { JOURNAL_BYTES = 64 * 1024 };

struct container *container_find(const char *name, int attempt) {
    for (int i = 0; i < pod.container_count; i++) {
        struct container *container = &pod.containers[i];
        if (container->attempt == attempt && strcmp(container->name, name) == 0) return container;
    }
    return NULL;
}

// Of a container's ended attempts only the latest two matter: the last state and the one before a restart.
struct container *container_add(const char *name, int attempt) {
    for (int i = 0; i < pod.container_count; i++) {
        struct container *old = &pod.containers[i];
        if (old->state != EXITED || old->attempt > attempt - 2 || strcmp(old->name, name) != 0) continue;
        free(old->name);
        *old = pod.containers[--pod.container_count];
        i--;
    }
    if (pod.container_count == CONTAINERS) return NULL;
    struct container *container = &pod.containers[pod.container_count++];
    *container = (struct container){.name = strdup(name), .attempt = attempt, .log = {.fd = -1}};
    container->streams[0].fd = container->streams[1].fd = -1;
    return container;
}

static int start_line(char *text, size_t size, const struct container *container) {
    return snprintf(
        text, size, "start %s %d %d %llu %lld\n", container->name, container->attempt, (int)container->pid,
        container->start_time, (long long)container->started);
}

static int exit_line(char *text, size_t size, const struct container *container) {
    return snprintf(
        text, size, "exit %s %d %d %d %lld\n", container->name, container->attempt, container->status,
        container->lost ? 1 : 0, (long long)container->exited);
}

// Writes the present records to a new file that then takes the old one's place.
static void compact(void) {
    int fd = open("journal.new", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return;
    off_t size = 0;
    char text[1024];
    for (int i = 0; i < pod.container_count; i++) {
        const struct container *container = &pod.containers[i];
        int length = start_line(text, sizeof text, container);
        if (container->state == EXITED) {
            length += exit_line(text + length, sizeof text - (size_t)length, container);
        }
        if (write(fd, text, (size_t)length) != length) {
            close(fd);
            return;  // the disk is full: the long journal stays
        }
        size += length;
    }
    fdatasync(fd);
    if (rename("journal.new", "journal") != 0) {
        close(fd);
        return;
    }
    close(pod.journal);
    pod.journal = fd;
    pod.journal_size = size;
}

static void append(const char *text, int length) {
    ssize_t wrote = write(pod.journal, text, (size_t)length);
    if (wrote != length) fprintf(stderr, "the journal could not be written; an exit code may not survive\n");
    fdatasync(pod.journal);
    pod.journal_size += length;
    if (pod.journal_size > JOURNAL_BYTES) compact();
}

void journal_start(const struct container *container) {
    char text[512];
    append(text, start_line(text, sizeof text, container));
}

void journal_exit(const struct container *container) {
    char text[512];
    append(text, exit_line(text, sizeof text, container));
}

static void load_line(const char *line) {
    char name[256];
    int attempt, number, lost;
    unsigned long long start;
    long long at;
    if (sscanf(line, "start %255s %d %d %llu %lld", name, &attempt, &number, &start, &at) == 5) {
        struct container *container = container_find(name, attempt);
        if (!container) container = container_add(name, attempt);
        if (!container) return;
        container->pid = number;
        container->start_time = start;
        container->started = at;
        container->state = DRAINING;  // until its exit is read
    } else if (sscanf(line, "exit %255s %d %d %d %lld", name, &attempt, &number, &lost, &at) == 5) {
        struct container *container = container_find(name, attempt);
        if (!container) return;
        container->status = number;
        container->lost = lost != 0;
        container->exited = at;
        container->state = EXITED;
    }
}

// Reads what an earlier supervisor left. What it had running cannot run any more: it is killed should it have
// outlived its parent's death signal, and recorded as lost.
void journal_load(void) {
    FILE *file = fopen("journal", "re");
    if (file) {
        char line[512];
        while (fgets(line, sizeof line, file)) {
            if (strchr(line, '\n')) load_line(line);
        }
        fclose(file);
    }
    for (int i = 0; i < pod.container_count; i++) {
        struct container *container = &pod.containers[i];
        if (container->state == EXITED) continue;
        if (container->pid > 1 && start_time_of(container->pid) == container->start_time) {
            kill(-container->pid, SIGKILL);
            kill(container->pid, SIGKILL);
        }
    }
    char mark[512];
    snprintf(mark, sizeof mark, "MARTLET_CONTAINER_ID=%s/", pod.uid);
    kill_marked(mark, false);
    pod.journal = open("journal", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pod.journal_size = lseek(pod.journal, 0, SEEK_END);
    for (int i = 0; i < pod.container_count; i++) {
        struct container *container = &pod.containers[i];
        if (container->state == EXITED) continue;
        container->state = EXITED;
        container->lost = true;
        container->status = SIGKILL;
        container->exited = now_ns();
        journal_exit(container);
    }
}
