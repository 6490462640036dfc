import Cluster
import Kinds
import Model

/// Writes the events of a watch: lines of JSON, or frames of protobuf (D4, D7, D8, D11, A17).
struct WatchEncoder: Sendable {
    let type: ResourceType
    let representation: Representation
    let includedObject: Table.IncludedObject
    /// A table's columns are told once (D11).
    private var hasToldColumns = false

    init(type: ResourceType, representation: Representation, includedObject: Table.IncludedObject) {
        self.type = type
        self.representation = representation
        self.includedObject = includedObject
    }

    static func contentType(_ encoding: Representation.Encoding) -> String {
        encoding == .json ? encoding.rawValue : "\(encoding.rawValue);stream=watch"
    }

    mutating func append(_ event: WatchEvent, at now: Timestamp, to bytes: inout [UInt8]) throws(APIError) {
        switch event {
        case .added(let object): try append("ADDED", object, at: now, to: &bytes)
        case .modified(let object): try append("MODIFIED", object, at: now, to: &bytes)
        case .deleted(let object): try append("DELETED", object, at: now, to: &bytes)
        case .bookmark(let version): try append("BOOKMARK", bookmark(version, annotations: nil), to: &bytes)
        }
    }

    func appendInitialEventsEnd(_ version: String, to bytes: inout [UInt8]) throws(APIError) {
        try append("BOOKMARK", bookmark(version, annotations: ["k8s.io/initial-events-end": "true"]), to: &bytes)
    }

    func append(_ error: APIError, to bytes: inout [UInt8]) throws(APIError) {
        try append("ERROR", error.status, to: &bytes)
    }

    private func append(_ name: String, _ object: JSON, to bytes: inout [UInt8]) throws(APIError) {
        guard case .bytes(let text) = try Answer.encoded(object, as: representation.encoding).body else { return }
        append(name, text, to: &bytes)
    }

    private func append(_ name: String, _ object: [UInt8], to bytes: inout [UInt8]) {
        if representation.encoding == .protobuf {
            bytes += ProtobufEncoding.watchFrame(name, object)
            return
        }
        bytes.reserveCapacity(bytes.count + object.count + 32)
        bytes += "{\"type\":\"".utf8
        bytes += name.utf8
        bytes += "\",\"object\":".utf8
        bytes += object
        bytes += "}\n".utf8
    }

    private mutating func append(
        _ name: String, _ object: Object, at now: Timestamp, to bytes: inout [UInt8]
    ) throws(APIError) {
        switch representation.form {
        case .whole, .aggregatedDiscovery:
            // What was stored is text already.
            if representation.encoding == .json { return append(name, object.encoded, to: &bytes) }
            try append(name, object.json, to: &bytes)
        case .partialMetadata(let version):
            let metadata = ResourceHandler.versioned(Table.partialObjectMetadata(object.json), version)
            try append(name, metadata, to: &bytes)
        case .table(let version):
            let table = TablePrinter.table(
                for: type, objects: [object], now: now, includedObject: includedObject)
            let json = table.json(
                resourceVersion: object.metadata.resourceVersion, includingColumns: !hasToldColumns)
            hasToldColumns = true
            try append(name, ResourceHandler.versioned(json, version), to: &bytes)
        }
    }

    private func bookmark(_ version: String, annotations: JSON?) -> JSON {
        var metadata: JSON = ["resourceVersion": .string(version)]
        metadata["annotations"] = annotations
        switch representation.form {
        case .table(let metaVersion):
            // Clients read the version from the object in the only row.
            let object: JSON = [
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            ]
            let table: JSON = [
                "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": ["resourceVersion": .string(version)],
                "columnDefinitions": [], "rows": [["cells": [], "object": object]],
            ]
            return ResourceHandler.versioned(table, metaVersion)
        case .partialMetadata(let metaVersion):
            let object: JSON = ["kind": "PartialObjectMetadata", "apiVersion": "", "metadata": metadata]
            return ResourceHandler.versioned(object, metaVersion)
        case .whole, .aggregatedDiscovery:
            return [
                "kind": .string(type.kind.kind), "apiVersion": .string(type.kind.apiVersion), "metadata": metadata,
            ]
        }
    }
}
