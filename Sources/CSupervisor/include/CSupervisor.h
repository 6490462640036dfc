#pragma once

/// Supervises the containers of one pod: `<exe> supervise <pod directory> [log bytes per file [log files]]`.
///
/// Detaches into its own session and returns 0 in the caller once the pod's socket answers; 75 when another supervisor
/// holds the pod already; another number on error, with the reason on standard error. The detached process never
/// returns. `argv[2]` is a directory of which the last component is the pod's uid.
int martlet_supervise(int argc, char **argv);

/// Starts `exe supervise directory …` and answers its exit status (see above), or -errno. Blocks some milliseconds.
int martlet_spawn_supervisor(
    const char *exe, const char *directory, long long log_bytes, int log_files, char *message, int message_size);

/// Whether a process of this user may have a private mount namespace: 1 yes, 0 no. Forks once.
int martlet_can_mount(void);
