#pragma once
#include <git2.h>
#include <git2/sys/credential.h>
#include <git2/sys/stream.h>
#include <git2/sys/transport.h>

/* Structures that libgit2 calls back with: its own part first, then the Swift object that answers. */
typedef struct martlet_git_socket {
    git_stream parent;
    void *owner;
} martlet_git_socket;

typedef struct martlet_git_subtransport {
    git_smart_subtransport parent;
    void *owner;
} martlet_git_subtransport;

typedef struct martlet_git_substream {
    git_smart_subtransport_stream parent;
    void *owner;
} martlet_git_substream;

/* git_libgit2_opts is variadic, which Swift cannot call. */

/* No configuration file outside a repository is read: a user's ~/.gitconfig must not change what a service does. */
static inline int martlet_git_ignore_user_configuration(void) {
    static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                                 GIT_CONFIG_LEVEL_GLOBAL};
    for (unsigned i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        int error = git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
        if (error < 0) return error;
    }
    return 0;
}

static inline int martlet_git_set_owner_validation(int enabled) {
    return git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, enabled);
}

static inline int martlet_git_set_certificate_authorities(const char *file, const char *directory) {
    return git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, file, directory);
}

/* GNU functions, which glibc's own headers only declare under _GNU_SOURCE. */
extern int memfd_create(const char *name, unsigned int flags);
extern int pthread_setname_np(unsigned long thread, const char *name);
static const unsigned int martlet_mfd_cloexec = 1u;
