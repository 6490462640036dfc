#pragma once
#include <dlfcn.h>
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

/* libgit2 is not linked but loaded when it is first needed: with the libraries that it needs itself it is a dozen, which
   every start would wait for (docs/decisions/014). These are the functions that are used, each without `git_`. */
#define MARTLET_GIT_FUNCTIONS(F) \
    F(blob_free) F(blob_lookup) F(blob_rawcontent) F(blob_rawsize) F(commit_author) F(commit_committer) F(commit_id) \
    F(commit_message) F(commit_parent_id) F(commit_parentcount) F(commit_tree_id) \
    F(credential_userpass_plaintext_new) F(error_last) F(error_set_str) F(fetch_options_init) F(indexer_append) \
    F(indexer_commit) F(indexer_free) F(indexer_new) F(libgit2_init) F(libgit2_opts) F(object_free) F(object_id) \
    F(object_lookup) F(object_lookup_prefix) F(object_peel) F(object_type) F(odb_add_disk_alternate) F(odb_exists) \
    F(odb_foreach) F(odb_free) F(odb_object_data) F(odb_object_free) F(odb_object_size) F(odb_read) \
    F(odb_read_header) F(oid_equal) F(oid_fromstrn) F(packbuilder_foreach) F(packbuilder_free) \
    F(packbuilder_insert) F(packbuilder_insert_walk) F(packbuilder_name) F(packbuilder_new) \
    F(packbuilder_object_count) F(packbuilder_set_callbacks) F(packbuilder_write) F(proxy_options_init) \
    F(reference_create) F(reference_free) F(reference_list) F(reference_name_to_id) F(reference_peel) \
    F(remote_connect) F(remote_create_anonymous) F(remote_disconnect) F(remote_download) F(remote_free) \
    F(remote_init_callbacks) F(remote_list) F(remote_lookup) F(remote_ls) F(remote_update_tips) F(remote_url) \
    F(repository_commondir) F(repository_free) F(repository_head) F(repository_init) F(repository_is_bare) \
    F(repository_odb) F(repository_open_ext) F(repository_path) F(repository_workdir) F(revparse_single) \
    F(revwalk_free) F(revwalk_hide) F(revwalk_new) F(revwalk_next) F(revwalk_push) F(revwalk_sorting) \
    F(strarray_dispose) F(stream_register) F(transport_smart) F(tree_entry_byindex) F(tree_entry_byname) \
    F(tree_entry_cmp) F(tree_entry_filemode) F(tree_entry_id) F(tree_entry_name) F(tree_entrycount) F(tree_free) \
    F(tree_lookup)

typedef struct martlet_git_functions {
#define F(name) __typeof__(git_##name) *_Nonnull name;
    MARTLET_GIT_FUNCTIONS(F)
#undef F
} martlet_git_functions;

/* Answers nothing where libgit2 cannot be loaded: `*error` then says why. */
static inline const martlet_git_functions *_Nullable martlet_git_load(const char *_Nullable *_Nonnull error) {
    static martlet_git_functions functions;
    void *library = dlopen("libgit2.so." LIBGIT2_SOVERSION, RTLD_NOW | RTLD_LOCAL);
    *error = dlerror();
    if (!library) return NULL;
#define F(name)                                             \
    void *name = dlsym(library, "git_" #name);              \
    if (!name) {                                            \
        *error = dlerror();                                 \
        return NULL;                                        \
    }                                                       \
    functions.name = (__typeof__(git_##name) *)name;
    MARTLET_GIT_FUNCTIONS(F)
#undef F
    return &functions;
}

/* git_libgit2_opts is variadic, which Swift cannot call. */

/* No configuration file outside a repository is read: a user's ~/.gitconfig must not change what a service does. */
static inline int martlet_git_ignore_user_configuration(const martlet_git_functions *git) {
    static const int levels[] = {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                                 GIT_CONFIG_LEVEL_GLOBAL};
    for (unsigned i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        int error = git->libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "");
        if (error < 0) return error;
    }
    return 0;
}

static inline int martlet_git_set_owner_validation(const martlet_git_functions *git, int enabled) {
    return git->libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, enabled);
}

static inline int martlet_git_set_certificate_authorities(const martlet_git_functions *git, const char *file,
                                                          const char *directory) {
    return git->libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, file, directory);
}

/* GNU functions, which glibc's own headers only declare under _GNU_SOURCE. */
extern int memfd_create(const char *name, unsigned int flags);
extern int pthread_setname_np(unsigned long thread, const char *name);
static const unsigned int martlet_mfd_cloexec = 1u;
