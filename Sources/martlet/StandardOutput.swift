import Glibc

/// Prints a line to standard output, at once. In this module it takes the place of the standard function, which keeps
/// what it prints in a buffer and ignores that it could not be written.
func print(_ text: String) {
    writeAll(text + "\n", to: STDOUT_FILENO)
}

func print(_ text: String, terminator: String) {
    writeAll(text + terminator, to: STDOUT_FILENO)
}

/// Prints a line to standard error, where remarks do not disturb what a program reads.
func printError(_ text: String) {
    writeAll(text + "\n", to: STDERR_FILENO)
}

/// Writes text as it is and at once, however little.
func writeAll(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0 {
            if errno == EINTR { continue }
            if errno == EAGAIN {
                // Somebody shares this descriptor and made it non-blocking.
                var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&request, 1, -1)
                continue
            }
            // Remarks that nobody reads are no loss; a result that is cut short is.
            if descriptor == STDOUT_FILENO { endOutput(errno) }
            return
        }
        rest = rest.dropFirst(count)
    }
}

/// For a verb that waits: ends it as soon as nobody reads what it prints any more (`| head -1`), not only when it next
/// prints.
func endWithReader() {
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { _ in
            var request = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
            while poll(&request, 1, -1) < 0, errno == EINTR {}
            // Of a pipe without a reader. Other files never answer, or only that they cannot be polled.
            if request.revents & Int16(POLLERR) != 0 { endOutput(EPIPE) }
            return nil
        }, nil)
    pthread_detach(thread)
}

/// Gives the three standard descriptors something to be when they were closed: otherwise the next file that is opened
/// (a database, a socket) would take what is printed.
func reserveStandardDescriptors() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
        // Read-only even for output, so that printing to what is closed stays an error.
        _ = open("/dev/null", O_RDONLY)
    }
}

/// Ends the process as other programs end when nobody reads on (`| head -1`), or with an error.
private func endOutput(_ code: Int32) -> Never {
    if code == EPIPE {
        signal(SIGPIPE, SIG_DFL)
        kill(getpid(), SIGPIPE)
        _exit(128 + SIGPIPE)
    }
    printError("error: cannot write to standard output: \(String(cString: strerror(code)))")
    _exit(Failure.code)
}

/// Whether colours are for a person: on a terminal, and not where NO_COLOR is set or TERM is dumb.
func wantsColor(on descriptor: Int32) -> Bool {
    let environment = Connection.currentEnvironment
    return isatty(descriptor) == 1 && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
}
