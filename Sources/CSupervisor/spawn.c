#define _GNU_SOURCE
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static char **values(const struct request *request, const char *key) {
    size_t length = strlen(key), count = 0;
    char **list = calloc(request->count + 1, sizeof *list);
    if (!list) return NULL;
    for (size_t i = 0; i < request->count; i++) {
        char *text = request->fields[i];
        if (strncmp(text, key, length) == 0 && text[length] == '=') list[count++] = text + length + 1;
    }
    return list;
}

static void stop(int report, const char *format, const char *detail) {
    char text[512];
    int length = snprintf(text, sizeof text, format, detail, strerror(errno));
    if (length > (int)sizeof text - 1) length = (int)sizeof text - 1;
    if (write(report, text, (size_t)length) < 0) { /* nobody is left to tell */ }
    _exit(128);
}

// Who the container runs as: `uid`, `gid` and any number of `group`; nothing changes without them, but that `strict`
// leaves it no other groups.
static void become(const struct request *request, int report) {
    const char *uid = field(request, "uid"), *gid = field(request, "gid");
    gid_t groups[64];
    size_t count = 0;
    char **names = values(request, "group");
    for (size_t i = 0; names && names[i] && count < 64; i++) groups[count++] = (gid_t)strtoul(names[i], NULL, 10);
    if (uid || gid || count || field(request, "strict")) {
        if (geteuid() == 0 && setgroups(count, groups) != 0) stop(report, "setgroups%s: %s", "");
    }
    if (gid && setresgid((gid_t)atol(gid), (gid_t)atol(gid), (gid_t)atol(gid)) != 0) {
        stop(report, "run as group %s: %s", gid);
    }
    if (uid && setresuid((uid_t)atol(uid), (uid_t)atol(uid), (uid_t)atol(uid)) != 0) {
        stop(report, "run as user %s: %s", uid);
    }
    if (field(request, "nnp")) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void run(const struct request *request, int out, int err, int report, pid_t join, pid_t parent) {
    setsid();
    sigset_t none;
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) stop(report, "redirect%s: %s", "");
    // Everything else closes; the report closes by itself when the program starts.
    if (report != 3) {
        if (dup3(report, 3, O_CLOEXEC) < 0) stop(report, "redirect%s: %s", "");
        report = 3;
    }
    close_range(4, ~0U, 0);
    umask(022);
    char error[512];
    const char *failure = join ? join_mounts(join, error, sizeof error) : enter_mounts(request, error, sizeof error);
    if (failure) {
        errno = 0;
        if (write(report, failure, strlen(failure)) < 0) { /* nobody is left to tell */ }
        _exit(128);
    }
    become(request, report);
    // After the change of user, which would clear it. A parent that is gone already cannot signal any more.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(137);
    const char *directory = field(request, "cwd");
    if (chdir(directory ? directory : "/") != 0) stop(report, "working directory %s: %s", directory ? directory : "/");
    char **arguments = values(request, "arg");
    environ = values(request, "env");
    if (!arguments || !environ || !arguments[0]) stop(report, "no command%s: %s", "");
    execvp(arguments[0], arguments);
    stop(report, "exec: \"%s\": %s", arguments[0]);
}

// Runs the request's command with its output on `out` and `err`, in a session of its own, and waits until the program
// has started or could not.
struct spawned spawn_process(const struct request *request, int out, int err, pid_t join_mounts_of) {
    struct spawned spawned = {.pid = -1};
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) {
        snprintf(spawned.error, sizeof spawned.error, "pipe: %s", strerror(errno));
        return spawned;
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) run(request, out, err, report[1], join_mounts_of, parent);
    close(report[1]);
    if (pid < 0) {
        snprintf(spawned.error, sizeof spawned.error, "fork: %s", strerror(errno));
    } else {
        ssize_t got;
        while ((got = read(report[0], spawned.error, sizeof spawned.error - 1)) < 0 && errno == EINTR) {}
        spawned.error[got > 0 ? got : 0] = 0;
        spawned.pid = pid;
    }
    close(report[0]);
    return spawned;
}
