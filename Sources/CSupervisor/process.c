#define _GNU_SOURCE
#include "supervisor.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ssize_t read_file(const char *path, char *buffer, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    size_t used = 0;
    ssize_t got = 0;
    while (used + 1 < size && (got = read(fd, buffer + used, size - 1 - used)) > 0) used += (size_t)got;
    close(fd);
    if (got < 0) return -1;
    buffer[used] = 0;
    return (ssize_t)used;
}

// The command may hold any character, so that fields are counted from its closing parenthesis.
static bool stat_of(pid_t pid, pid_t *parent, unsigned long long *start) {
    char path[64], text[1024], state;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (read_file(path, text, sizeof text) <= 0) return false;
    char *rest = strrchr(text, ')');
    int ppid;
    if (!rest || sscanf(rest + 1, " %c %d", &state, &ppid) != 2 || state == 'Z') return false;
    *parent = ppid;
    char *cursor = rest + 1;
    for (int skipped = 0; skipped < 19 && cursor; skipped++) {
        cursor = strchr(cursor + 1, ' ');
    }
    *start = cursor ? strtoull(cursor, NULL, 10) : 0;
    return true;
}

unsigned long long start_time_of(pid_t pid) {
    pid_t parent;
    unsigned long long start;
    return stat_of(pid, &parent, &start) ? start : 0;
}

static bool environment_has(pid_t pid, const char *mark) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    static char text[2 * 1024 * 1024];
    ssize_t size = read_file(path, text, sizeof text);
    size_t length = strlen(mark);
    for (char *entry = text; size > 0 && entry < text + size; entry += strlen(entry) + 1) {
        if (strncmp(entry, mark, length) == 0) return true;
    }
    return false;
}

struct process {
    pid_t pid, parent;
    bool descends;
};

static int by_pid(const void *left, const void *right) {
    return ((const struct process *)left)->pid - ((const struct process *)right)->pid;
}

// Every process of the machine, with those marked that descend from this one.
static struct process *processes(size_t *count) {
    static struct process *list;
    static size_t capacity;
    *count = 0;
    DIR *directory = opendir("/proc");
    if (!directory) return list;
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (!isdigit((unsigned char)entry->d_name[0])) continue;
        if (*count == capacity) {
            size_t wanted = capacity ? capacity * 2 : 1024;
            struct process *grown = realloc(list, wanted * sizeof *list);
            if (!grown) break;
            list = grown;
            capacity = wanted;
        }
        struct process process = {.pid = atoi(entry->d_name)};
        unsigned long long start;
        if (stat_of(process.pid, &process.parent, &start)) list[(*count)++] = process;
    }
    closedir(directory);
    qsort(list, *count, sizeof *list, by_pid);
    pid_t self = getpid();
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < *count; i++) {
            if (list[i].descends) continue;
            struct process key = {.pid = list[i].parent};
            struct process *parent = bsearch(&key, list, *count, sizeof *list, by_pid);
            bool descends = list[i].parent == self || (parent && parent->descends);
            if (descends) list[i].descends = changed = true;
        }
    }
    return list;
}

// Kills what carries `mark` in its environment, again and again until a look finds none: what forks meanwhile is
// found by the next look.
void kill_marked(const char *mark, bool only_descendants) {
    pid_t self = getpid();
    for (int look = 0; look < 64; look++) {
        size_t count;
        int found = 0;
        struct process *list = processes(&count);
        for (size_t i = 0; i < count; i++) {
            if (list[i].pid == self || (only_descendants && !list[i].descends)) continue;
            if (!environment_has(list[i].pid, mark)) continue;
            kill(list[i].pid, SIGKILL);
            found++;
        }
        if (!found) return;
        usleep(1000);
    }
}

// With no container left, whatever still descends from this process was left behind by one. True when some was.
bool kill_orphans(void) {
    size_t count;
    bool found = false;
    struct process *list = processes(&count);
    for (size_t i = 0; i < count; i++) {
        if (!list[i].descends) continue;
        kill(list[i].pid, SIGKILL);
        found = true;
    }
    return found;
}
