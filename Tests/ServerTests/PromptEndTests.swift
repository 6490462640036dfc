import NIOCore
import NIOEmbedded
import Synchronization
import Testing

@testable import Server

@Suite("The end of connections when the server stops")
struct PromptEndTests {
    /// Stands for TLS with a client that does not answer the goodbye.
    private final class UnansweredGoodbye: ChannelOutboundHandler {
        typealias OutboundIn = Any
        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {}
    }

    @Test("a client that does not answer is waited for only while the server goes on")
    func patience() throws {
        let stopping = Stopping()
        let channel = EmbeddedChannel()
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(UnansweredGoodbye(), name: PromptEnd.tls)
        try pipeline.addHandler(PromptEnd(stopping))
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        channel.close(promise: nil)
        channel.embeddedEventLoop.advanceTime(by: .seconds(60))
        #expect(channel.isActive)
        stopping.isTrue.store(true, ordering: .relaxed)
        channel.close(promise: nil)
        channel.embeddedEventLoop.advanceTime(by: PromptEnd.patience - .milliseconds(1))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!channel.isActive)
    }

    @Test("what was written may still leave")
    func pendingWrites() throws {
        let stopping = Stopping()
        stopping.isTrue.store(true, ordering: .relaxed)
        let channel = EmbeddedChannel()
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(UnansweredGoodbye(), name: PromptEnd.tls)
        try pipeline.addHandler(PromptEnd(stopping))
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        channel.isWritable = false
        channel.close(promise: nil)
        channel.embeddedEventLoop.advanceTime(by: PromptEnd.patience)
        #expect(channel.isActive)
        channel.isWritable = true
        channel.embeddedEventLoop.advanceTime(by: PromptEnd.patience)
        #expect(!channel.isActive)
    }
}
