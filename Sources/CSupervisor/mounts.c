#define _GNU_SOURCE
#include "supervisor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

// A container's volume mounts, in a mount namespace of its own. A mount path that the machine does not have is made
// in a tmpfs that takes the place of its nearest existing directory and shows everything that is in it, so that the
// machine's own directories are never written to.

static const char *fail(char *error, size_t size, const char *what, const char *path) {
    int number = errno;
    snprintf(error, size, "%s %s: %s", what, path, strerror(number));
    return error;
}

static void write_text(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (write(fd, text, strlen(text)) < 0) { /* the mounts that follow fail and say why */ }
    close(fd);
}

// A user who is not root gets a user namespace of one user, itself, wherein it may mount.
static bool separate(void) {
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (uid == 0) {
        if (unshare(CLONE_NEWNS) != 0) return false;
    } else {
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
        char map[64];
        write_text("/proc/self/setgroups", "deny");
        snprintf(map, sizeof map, "%u %u 1", uid, uid);
        write_text("/proc/self/uid_map", map);
        snprintf(map, sizeof map, "%u %u 1", gid, gid);
        write_text("/proc/self/gid_map", map);
    }
    return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0;
}

int martlet_can_mount(void);
int martlet_can_mount(void) {
    pid_t pid = fork();
    if (pid < 0) return 0;
    if (pid == 0) {
        _exit(separate() && mount("tmpfs", "/tmp", "tmpfs", 0, "size=64k") == 0 ? 0 : 1);
    }
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) return 0;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool make_file(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return false;
    close(fd);
    return true;
}

static bool bind(const char *source, const char *target) {
    return mount(source, target, NULL, MS_BIND | MS_REC, NULL) == 0;
}

// Shows in the empty directory `stage` what `directory` holds.
static bool mirror_entries(const char *directory, const char *stage) {
    DIR *entries = opendir(directory);
    if (!entries) return false;
    bool good = true;
    for (struct dirent *entry; good && (entry = readdir(entries));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        char from[4096], to[4096], target[4096];
        snprintf(from, sizeof from, "%s/%s", directory, entry->d_name);
        snprintf(to, sizeof to, "%s/%s", stage, entry->d_name);
        struct stat info;
        if (lstat(from, &info) != 0) continue;
        if (S_ISLNK(info.st_mode)) {
            ssize_t length = readlink(from, target, sizeof target - 1);
            if (length < 0) continue;
            target[length] = 0;
            good = symlink(target, to) == 0;
        } else if (S_ISDIR(info.st_mode)) {
            good = mkdir(to, 0755) == 0 && bind(from, to);
        } else {
            good = make_file(to) && bind(from, to);
        }
    }
    closedir(entries);
    return good;
}

static const char *mirror(const char *directory, char *error, size_t size) {
    struct stat info;
    if (stat(directory, &info) != 0) return fail(error, size, "stat", directory);
    char stage[4096];
    snprintf(stage, sizeof stage, "%s/stage", pod.directory);
    mkdir(stage, 0755);
    if (mount("tmpfs", stage, "tmpfs", 0, "mode=0755") != 0) return fail(error, size, "mount tmpfs at", stage);
    if (!mirror_entries(directory, stage)) return fail(error, size, "mirror", directory);
    chmod(stage, info.st_mode & 07777);
    if (strcmp(directory, "/") == 0) {
        if (chroot(stage) != 0 || chdir("/") != 0) return fail(error, size, "chroot", stage);
        return NULL;
    }
    if (mount(stage, directory, NULL, MS_MOVE, NULL) != 0) return fail(error, size, "mount over", directory);
    return NULL;
}

// Sees to it that `target` exists, as a directory or as a file.
static const char *provide(const char *target, bool directory, char *error, size_t size) {
    struct stat info;
    if (stat(target, &info) == 0) {
        if (S_ISDIR(info.st_mode) == directory) return NULL;
        errno = directory ? ENOTDIR : EISDIR;
        return fail(error, size, "mount at", target);
    }
    char path[4096];
    snprintf(path, sizeof path, "%s", target);
    char *end = path + strlen(path);
    do {
        while (end > path && *end != '/') end--;
        *(end == path ? end + 1 : end) = 0;
    } while (stat(path, &info) != 0 && end > path);
    const char *failure = mirror(path, error, size);
    if (failure) return failure;
    snprintf(path, sizeof path, "%s", target);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0755) != 0 && errno != EEXIST) return fail(error, size, "mkdir", path);
        *slash = '/';
    }
    if (directory ? mkdir(path, 0755) != 0 : !make_file(path)) return fail(error, size, "create", path);
    return NULL;
}

static bool remount_read_only(const char *target) {
    struct statvfs info;
    if (statvfs(target, &info) != 0) return false;
    unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY;
    // Flags that the outer namespace has locked must be named again.
    if (info.f_flag & ST_NOSUID) flags |= MS_NOSUID;
    if (info.f_flag & ST_NODEV) flags |= MS_NODEV;
    if (info.f_flag & ST_NOEXEC) flags |= MS_NOEXEC;
    if (info.f_flag & ST_NOATIME) flags |= MS_NOATIME;
    if (info.f_flag & ST_RELATIME) flags |= MS_RELATIME;
    return mount(NULL, target, NULL, flags, NULL) == 0;
}

// The request's fields `mount=ro|rw`, `source=…`, `target=…`, three for each mount, outer mount paths first.
const char *enter_mounts(const struct request *request, char *error, size_t size) {
    if (!field(request, "mount")) return NULL;
    if (!separate()) return fail(error, size, "create a mount namespace for", "volumeMounts");
    for (size_t i = 0; i + 2 < request->count; i++) {
        if (strncmp(request->fields[i], "mount=", 6) != 0) continue;
        const char *source = request->fields[i + 1] + strlen("source=");
        const char *target = request->fields[i + 2] + strlen("target=");
        struct stat info;
        if (stat(source, &info) != 0) return fail(error, size, "mount from", source);
        const char *failure = provide(target, S_ISDIR(info.st_mode), error, size);
        if (failure) return failure;
        if (!bind(source, target)) return fail(error, size, "bind mount at", target);
        if (strcmp(request->fields[i] + 6, "ro") == 0 && !remount_read_only(target)) {
            return fail(error, size, "make read-only", target);
        }
    }
    return NULL;
}

// For a command that runs in a container: the container's namespaces and its root.
const char *join_mounts(pid_t pid, char *error, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/root", (int)pid);
    int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
    int user = geteuid() == 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)pid);
    int mounts = open(path, O_RDONLY | O_CLOEXEC);
    if (root < 0 || mounts < 0) return fail(error, size, "open", path);
    if (user >= 0 && setns(user, CLONE_NEWUSER) != 0 && errno != EINVAL) return fail(error, size, "setns", path);
    if (setns(mounts, CLONE_NEWNS) != 0) return fail(error, size, "setns", path);
    if (fchdir(root) != 0 || chroot(".") != 0) return fail(error, size, "chroot", path);
    return NULL;
}
