import CLibyaml
import Model

extension Benchmark {
    static var model: [Benchmark] {
        let yaml = Array(deployment.utf8)
        guard let value = try? YAML.documents(yaml, file: "deployment.yaml").first?.value else {  // A constant text.
            fatalError("the benchmark's own manifest is no YAML")
        }
        let stream = Array(repeating: Array(deployment.utf8), count: 200).joined(separator: Array("---\n".utf8))
        return yamlBenchmarks(yaml, Array(stream), value) + jsonBenchmarks(value)
    }

    private static func yamlBenchmarks(_ one: [UInt8], _ many: [UInt8], _ value: JSON) -> [Benchmark] {
        [
            Benchmark(name: "yaml/libyaml-events", bytes: one.count) { keep(countEvents(one)) },
            Benchmark(name: "yaml/decode", bytes: one.count, reference: "yaml/libyaml-events", goal: 0.7) {
                keep(try YAML.documents(one, file: "deployment.yaml"))
            },
            Benchmark(name: "yaml/stream-libyaml-events", bytes: many.count) { keep(countEvents(many)) },
            Benchmark(
                name: "yaml/stream-decode", bytes: many.count, operations: 200,
                reference: "yaml/stream-libyaml-events", goal: 0.7
            ) {
                keep(try YAML.documents(many, file: "deployments.yaml"))
            },
            Benchmark(name: "yaml/encode", bytes: one.count) { keep(YAML.text(value)) },
        ]
    }

    private static func jsonBenchmarks(_ value: JSON) -> [Benchmark] {
        let bytes = value.encoded()
        let changed = edited(value)
        let text = YAML.text(value)
        let changedText = YAML.text(changed)
        return [
            Benchmark(name: "json/decode", bytes: bytes.count, goal: 150) { keep(try JSON(decoding: bytes)) },
            Benchmark(name: "json/encode", bytes: bytes.count) { keep(value.encoded()) },
            Benchmark(name: "json/equal", bytes: bytes.count) { keep(value == changed) },
            Benchmark(name: "json/hash", bytes: bytes.count) { keep(value.hashValue) },
            Benchmark(name: "diff/tree", bytes: bytes.count) { keep(TreeDiff.changes(from: value, to: changed)) },
            Benchmark(name: "diff/text", bytes: bytes.count) { keep(TextDiff(from: text, to: changedText)) },
            Benchmark(name: "patch/merge-diff", bytes: bytes.count) { keep(MergePatch.diff(from: value, to: changed)) },
        ]
    }

    private static func edited(_ value: JSON) -> JSON {
        var changed = value
        changed[path: ["spec", "replicas"]] = 7
        return changed
    }

    /// What libyaml takes for the same bytes when nobody does anything with its events.
    private static func countEvents(_ bytes: [UInt8]) -> Int {
        var parser = yaml_parser_t()
        var event = yaml_event_t()
        yaml_parser_initialize(&parser)
        defer { yaml_parser_delete(&parser) }
        return bytes.withUnsafeBufferPointer { buffer in
            yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
            var count = 0
            while yaml_parser_parse(&parser, &event) == 1 {
                count += 1
                let isEnd = event.type == YAML_STREAM_END_EVENT
                yaml_event_delete(&event)
                if isEnd { break }
            }
            return count
        }
    }
}
