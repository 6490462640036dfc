import CLibgit2
import Glibc

/// The TCP sockets under libgit2's HTTP and TLS, replaced so that no read, write or connect outlives the transfer's
/// deadline or its task's cancellation: libgit2's own sockets block for ever.
final class DeadlineSocket {
    /// How often a silent socket looks whether it should give up. Only while a transfer is under way.
    static let glance: Int32 = 50

    private let host: String
    private let port: String
    private var descriptor: CInt = -1

    private init(host: String, port: String) {
        self.host = host
        self.port = port
    }

    deinit { shut() }

    static func register() -> Bool {
        var registration = git_stream_registration()
        registration.version = GIT_STREAM_VERSION
        registration.`init` = { output, host, port in
            guard let output, let host, let port else { return -1 }
            let socket = DeadlineSocket(host: String(cString: host), port: String(cString: port))
            output.pointee = socket.makeStream()
            return 0
        }
        return libgit2.stream_register(GIT_STREAM_STANDARD, &registration) == 0
    }

    private func makeStream() -> UnsafeMutablePointer<git_stream> {
        let stream = UnsafeMutablePointer<martlet_git_socket>.allocate(capacity: 1)
        stream.initialize(to: martlet_git_socket())
        stream.pointee.owner = Unmanaged.passRetained(self).toOpaque()
        stream.pointee.parent.version = GIT_STREAM_VERSION
        stream.pointee.parent.connect = { DeadlineSocket.owner($0)?.connect() ?? -1 }
        stream.pointee.parent.read = { DeadlineSocket.owner($0)?.read($1, $2) ?? -1 }
        stream.pointee.parent.write = { stream, bytes, count, _ in
            DeadlineSocket.owner(stream)?.write(bytes, count) ?? -1
        }
        stream.pointee.parent.close = { stream in
            DeadlineSocket.owner(stream)?.shut()
            return 0
        }
        stream.pointee.parent.free = { stream in
            guard let stream else { return }
            let whole = UnsafeMutableRawPointer(stream).assumingMemoryBound(to: martlet_git_socket.self)
            Unmanaged<DeadlineSocket>.fromOpaque(whole.pointee.owner).release()
            whole.deallocate()
        }
        return UnsafeMutableRawPointer(stream).assumingMemoryBound(to: git_stream.self)
    }

    private static func owner(_ stream: UnsafeMutablePointer<git_stream>?) -> DeadlineSocket? {
        guard let stream else { return nil }
        let whole = UnsafeMutableRawPointer(stream).assumingMemoryBound(to: martlet_git_socket.self)
        return Unmanaged<DeadlineSocket>.fromOpaque(whole.pointee.owner).takeUnretainedValue()
    }

    private func shut() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    private func fail(_ message: String) -> CInt {
        _ = libgit2.error_set_str(CInt(GIT_ERROR_NET.rawValue), message)
        return -1
    }

    /// Waits until the socket is ready, the transfer must end, or the connection attempt has lasted too long.
    private func wait(for events: CInt, within limit: Duration? = nil) -> Bool {
        let start = ContinuousClock().now
        while true {
            guard Transfer.current?.transfer.mayContinue(since: start, within: limit) ?? true else { return false }
            var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let ready = poll(&request, 1, Self.glance)
            if ready > 0 { return true }
            if ready < 0, errno != EINTR { return false }
        }
    }

    private func connect() -> CInt {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_family = AF_UNSPEC
        var addresses: UnsafeMutablePointer<addrinfo>?
        let failure = getaddrinfo(host, port, &hints, &addresses)
        guard failure == 0 else {
            return fail("failed to resolve address for \(host): \(String(cString: gai_strerror(failure)))")
        }
        defer { freeaddrinfo(addresses) }
        var reason = "no address"
        var next = addresses
        while let address = next?.pointee {
            next = address.ai_next
            let kind = address.ai_socktype | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
            descriptor = socket(address.ai_family, kind, address.ai_protocol)
            guard descriptor >= 0 else { continue }
            if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 { return 0 }
            if errno == EINPROGRESS {
                let limit = Transfer.current?.transfer.settings.connectTimeout
                guard wait(for: POLLOUT, within: limit) else { break }
                var error: CInt = 0
                var size = socklen_t(MemoryLayout<CInt>.size)
                getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
                if error == 0 { return 0 }
                reason = String(cString: strerror(error))
            } else {
                reason = String(cString: strerror(errno))
            }
            shut()
        }
        shut()
        return fail("failed to connect to \(host) port \(port): \(reason)")
    }

    private func read(_ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        while true {
            let received = recv(descriptor, buffer, count, 0)
            if received >= 0 {
                Transfer.current?.transfer.noteActivity()
                return received
            }
            switch errno {
            case EINTR: continue
            case EAGAIN where wait(for: POLLIN): continue
            case EAGAIN: return Int(fail("the socket gave up waiting to read from \(host)"))
            default: return Int(fail("the socket cannot read from \(host): \(String(cString: strerror(errno)))"))
            }
        }
    }

    private func write(_ bytes: UnsafePointer<CChar>?, _ count: Int) -> Int {
        while true {
            // Without MSG_NOSIGNAL a closed connection would end the process.
            let sent = send(descriptor, bytes, count, CInt(MSG_NOSIGNAL))
            if sent >= 0 {
                Transfer.current?.transfer.noteActivity()
                return sent
            }
            switch errno {
            case EINTR: continue
            case EAGAIN where wait(for: POLLOUT): continue
            case EAGAIN: return Int(fail("the socket gave up waiting to write to \(host)"))
            default: return Int(fail("the socket cannot write to \(host): \(String(cString: strerror(errno)))"))
            }
        }
    }
}
